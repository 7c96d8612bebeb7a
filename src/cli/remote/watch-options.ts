import { type Command, Option } from 'commander';
import type { AcknowledgeRequest } from '../../client/client.ts';
import { withoutAbsent } from '../without-absent.ts';
import { addAgentOptions } from './agent-options.ts';
import type { TellOptions } from './tell-answer.ts';

/** Which of the series of a model are meant, and why. */
export interface WatchOptions extends TellOptions {
  readonly reason: string;
  readonly kind?: AcknowledgeRequest['kind'];
  readonly variant?: string;
  readonly suite?: string;
  readonly measurement?: string;
}

export function addWatchOptions(command: Command): Command {
  return addAgentOptions(command, 'the daemon')
    .requiredOption('--reason <text>', 'why, for whoever reads the history later')
    .addOption(new Option('--kind <kind>', 'only this (default: both)').choices(['latency', 'accuracy']))
    .option('--variant <name>', 'only this variant (default: all)')
    .option('--suite <name>', 'only this suite (default: all)')
    .option('--measurement <name>', 'only this measurement (default: all)')
    .option('--json', 'print JSON', false);
}

export function choiceOf({ reason, kind, variant, suite, measurement }: WatchOptions): AcknowledgeRequest {
  return { reason, ...withoutAbsent({ kind, variant, suite, measurement }) };
}
