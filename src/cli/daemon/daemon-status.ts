import type { Agent } from '../../jobs/agent.ts';
import type { LiveWork } from '../../jobs/capture/live-work.ts';

/** In a few words for people what the daemon does. */
export function daemonStatus(
  agent: Pick<Agent, 'profiles' | 'queuedCount'>,
  { run, phases }: Pick<LiveWork, 'run' | 'phases'>,
): string {
  const models = agent.profiles.length;
  const phase = phases.at(-1);
  const work = run === undefined ? 'idle' : `${run.model}: ${phase?.phase ?? 'run'} (${run.id})`;
  return `${models} model${models === 1 ? '' : 's'}; ${work}; ${agent.queuedCount()} waiting`;
}
