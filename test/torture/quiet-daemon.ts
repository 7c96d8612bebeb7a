import { readdirSync } from 'node:fs';
import { RUN_STATES } from '../../src/core/run-terms.ts';
import { livingClaims } from '../../src/jobs/lock-claims.ts';
import type { DaemonLife, Home } from './daemon-life.ts';
import { type FolderInspector, type FolderState, leftovers } from './data-folder.ts';
import { descendants } from './descendants.ts';
import type { Ledger } from './ledger.ts';

const REST_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 200;
/** The daemon first finds out what has to be done, which takes it longer than to find an empty queue. */
const RESTS_IN_ROW = 15;

/** Waits until a daemon has nothing to do, and tells everything about it that is not as it must be. */
export async function lookAtQuietDaemon(
  life: DaemonLife,
  home: Home,
  inspector: FolderInspector,
  ledger: Ledger,
): Promise<string[]> {
  if (!(await rest(life))) return [`the daemon does not come to rest: ${life.lastWords}`];
  const { runs, wrong } = await inspector.inspect();
  return [
    ...wrong,
    ...ledger.compare(runs),
    ...notTakenUp(runs, readdirSync(home.profiles)),
    ...leftovers(home.dataDir, new Set(runs.map(({ id }) => id))).map((name) => `left over: ${name}`),
    ...readdirSync(home.tmpDir).map((name) => `left over in the folder for temporary files: ${name}`),
    // Claims of the dead count for nothing, and go when somebody next wants the lock.
    ...livingClaims(home.lockDir, '/proc').map(
      ({ file }) => `a lock is held though nothing is measured: ${file}`,
    ),
    ...(await wrongMetrics(life, runs)),
    ...descendants()
      .filter(({ pid, command }) => pid !== life.pid && !command.includes('sampler-main'))
      .map(({ command }) => `runs though nothing is under way: ${command}`),
  ];
}

async function rest(life: DaemonLife): Promise<boolean> {
  const deadlineMs = performance.now() + REST_WITHIN_MS;
  let rests = 0;
  while (performance.now() < deadlineMs && !life.hasEnded) {
    const open = await Promise.all([
      life.ask('GET', '/bench?state=queued'),
      life.ask('GET', '/bench?state=running'),
    ]);
    const isIdle = open.every(
      (answer) => (answer?.body as { runs?: unknown[] } | undefined)?.runs?.length === 0,
    );
    const workers = descendants().filter(({ command }) => command.includes('worker-main'));
    rests = isIdle && workers.length === 0 ? rests + 1 : 0;
    if (rests === RESTS_IN_ROW) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

/** An interrupted full run is taken up again once: the last of a registered model is interrupted only where it was a second try. */
function notTakenUp(runs: FolderState['runs'], registered: readonly string[]): string[] {
  return registered.flatMap((model) => {
    const last = runs.findLast((run) => run.model === model && run.kind === 'pipeline');
    if (last === undefined) return [`${model} was never worked through`];
    if (last.state !== 'interrupted' || last.reasons.includes('interrupted')) return [];
    return [`${last.id} of ${model} was not taken up again`];
  });
}

async function wrongMetrics(life: DaemonLife, runs: FolderState['runs']): Promise<string[]> {
  const answer = await life.ask('GET', '/metrics');
  if (typeof answer?.body !== 'string') return ['there are no metrics'];
  const text = answer.body;
  const wrong: string[] = [];
  for (const state of RUN_STATES) {
    const shown = Number(new RegExp(`^ptq_jobs\\{state="${state}"\\} (\\S+)$`, 'm').exec(text)?.[1]);
    const there = runs.filter((run) => run.state === state).length;
    if (shown !== there) wrong.push(`the metrics show ${shown} runs ${state}, there are ${there}`);
  }
  for (const [, source, up] of text.matchAll(/^ptq_sampler_process_up\{source="(\w+)"\} (\d)$/gm))
    if (up !== '1' && source === 'host') wrong.push(`the sampler of ${source} is not up`);
  return wrong;
}
