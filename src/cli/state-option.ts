import { type Command, InvalidArgumentError } from 'commander';
import type { CarriedState } from '../data/carried-state.ts';

/** What `--state` leaves behind. */
export interface StateOptions {
  readonly state: readonly CarriedState[];
}

/** Adds `--state`, for recurrent models. It may be given more than once. */
export function addStateOption(command: Command): Command {
  return command.option(
    '--state <out=in>',
    'recurrent models: feed the output of one sample as the input of the next, such as stateN=state or h_out=h_in:2x1x64',
    carriedState,
    [],
  );
}

/** The task's part: what the options say, or else the profile. */
export function statesOf(
  { state }: StateOptions,
  ofProfile: readonly CarriedState[] = [],
): { readonly states?: readonly CarriedState[] } {
  const states = state.length > 0 ? state : ofProfile;
  return states.length === 0 ? {} : { states };
}

/** `hn=h0` or `hn=h0:2x1x64`. A single number after a colon is a part of the name, as in TensorFlow's `state:0`. */
export function carriedState(text: string, before: readonly CarriedState[]): readonly CarriedState[] {
  const [, output, input, sizes] = /^([^=]+)=(.+?)(?::(\d+(?:x\d+)+))?$/.exec(text) ?? [];
  if (output === undefined || input === undefined) {
    throw new InvalidArgumentError(
      `expected OUTPUT=INPUT, such as stateN=state or stateN=state:2x1x128, but found '${text}'`,
    );
  }
  if (before.some((other) => other.input === input)) {
    throw new InvalidArgumentError(`the input '${input}' is given twice`);
  }
  const dims = sizes === undefined ? {} : { dims: sizes.split('x').map(Number) };
  return [...before, { output, input, ...dims }];
}
