import { basename } from 'node:path';
import { systemClock } from '../core/clock.ts';
import type { NamedModel } from '../jobs/variant-sut.ts';
import type { DataChoice } from './data-option.ts';
import { distinctNames } from './distinct-names.ts';
import { WORKER_ENTRY } from './entries.ts';
import { type StateOptions, statesOf } from './state-option.ts';
import type { Terminal } from './terminal.ts';

/** Models as results know them: each by the path that it was named by, all by the name of the first file. */
export function namedModels(models: readonly string[]): {
  readonly model: string;
  readonly variants: readonly NamedModel[];
} {
  const names = distinctNames(models);
  return {
    model: basename(models[0] ?? '', '.onnx'),
    variants: models.map((path, position) => ({
      variant: path,
      path,
      traceId: names[position] as string,
    })),
  };
}

/** The part of a request that says what models are fed. */
export function fedWith({ spec, split, profile }: DataChoice, options: StateOptions) {
  return { data: { spec, split }, ...statesOf(options, profile?.data.states) };
}

/** What commands that measure need of their surroundings. */
export function measuringDeps(terminal: Terminal, signal: AbortSignal) {
  return {
    host: { entry: WORKER_ENTRY },
    clock: systemClock,
    signal,
    onWaiting: (holder: string) => terminal.stderr.write(`waiting: ${holder}\n`),
  };
}
