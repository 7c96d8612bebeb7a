import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeProfile } from '../support/program.ts';
import { DaemonLife, type Home } from './daemon-life.ts';
import { type Slope, slopeOf } from './slope.ts';

export interface DayOptions {
  readonly runs: number;
  /** An empty folder. */
  readonly folder: string;
  readonly onProgress?: (line: string) => void;
}

export interface DayReport {
  readonly runs: number;
  readonly seconds: number;
  readonly scrapes: number;
  readonly states: Readonly<Record<string, number>>;
  /** After the warm-up. */
  readonly slopes: Readonly<Record<string, Slope>>;
  /** What the daemon held open, by kind, at the end of the warm-up and at the end. */
  readonly resources: readonly Readonly<Record<string, number>>[];
}

interface Told {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly listeners: number;
}

const HOOK = fileURLToPath(new URL('./tell-resources.mjs', import.meta.url));
const MODELS = ['d0', 'd1', 'd2', 'd3'] as const;
const LOOK_EVERY_RUNS = 4;
/** Of each model: few enough that the folder is full before the warm-up is over, and has to stay as large as it is. */
const KEPT_RUNS = 5;
/** Of all runs; code is being compiled and caches fill until then. */
const WARM_UP = 1 / 3;
const SCRAPE_EVERY_MS = 500;

/**
 * What a daemon does in a day in which four models are measured every hour, 96 runs, one after the other, with scrapes and followers, and what
 * that leaves in the daemon, its samplers and its folder.
 */
export async function day({ runs, folder, onProgress = () => {} }: DayOptions): Promise<DayReport> {
  const home = {
    profiles: join(folder, 'profiles'),
    dataDir: join(folder, 'data'),
    tmpDir: join(folder, 'tmp'),
    lockDir: join(folder, 'locks'),
    config: join(folder, 'settings.yaml'),
    logFile: join(folder, 'daemon.log'),
  } satisfies Home;
  writeFileSync(home.config, `storage: { runs: { maxCount: ${KEPT_RUNS} } }\n`);
  for (const made of [home.tmpDir, home.lockDir]) mkdirSync(made, { recursive: true });
  for (const model of MODELS) writeProfile(home.profiles, model, { duration: '100ms' });
  const toldFile = join(folder, 'told.json');
  const life = new DaemonLife(home, ['--expose-gc', '--import', HOOK], { PTQ_TELL_RESOURCES: toldFile });
  const startMs = performance.now();
  const states: Record<string, number> = {};
  const looks: { readonly at: number; readonly figures: Readonly<Record<string, number>> }[] = [];
  const resources: Readonly<Record<string, number>>[] = [];
  let scrapes = 0;
  const scraping = setInterval(
    () => void life.ask('GET', '/metrics').then(() => (scrapes += 1)),
    SCRAPE_EVERY_MS,
  );
  try {
    await untilIdle(life);
    for (let at = 0; at < runs; at += 1) {
      const state = await runOnce(life, MODELS[at % MODELS.length] as string);
      states[state] = (states[state] ?? 0) + 1;
      if (at % LOOK_EVERY_RUNS !== 0) continue;
      const told = await askResources(life, toldFile);
      looks.push({ at, figures: figuresOf(told, life.pid, home) });
      resources.push(told.resources);
      const { heapBytes = 0, 'daemon rss': rss = 0 } = looks.at(-1)?.figures ?? {};
      onProgress(`${at + 1} runs, heap ${mebibytes(heapBytes)}, resident ${mebibytes(rss)}`);
    }
    const settled = looks.slice(Math.floor(looks.length * WARM_UP));
    const names = Object.keys(settled[0]?.figures ?? {});
    return {
      runs,
      seconds: (performance.now() - startMs) / 1e3,
      scrapes,
      states,
      slopes: Object.fromEntries(
        names.map((name) => [
          name,
          slopeOf(settled.map(({ at, figures }) => ({ at, value: figures[name] ?? Number.NaN }))),
        ]),
      ),
      resources: [resources[Math.floor(looks.length * WARM_UP)] ?? {}, resources.at(-1) ?? {}],
    };
  } finally {
    clearInterval(scraping);
    life.signal('SIGTERM');
    await life.ended;
  }
}

async function runOnce(life: DaemonLife, model: string): Promise<string> {
  const ordered = await life.ask('POST', '/bench', { body: { model, durationSeconds: 0.1 } });
  if (ordered === undefined) throw new Error(`the daemon ended: ${life.lastWords}`);
  const { id } = ordered.body as { readonly id: string };
  // Follows it to its end, as the page does.
  const events = await life.ask('GET', `/bench/${id}/events`);
  if (!String(events?.body).includes('event: end')) throw new Error(`no end of run ${id} was told`);
  const run = await life.ask('GET', `/bench/${id}`);
  await life.ask('GET', `/bench/${id}/timeline`);
  return run === undefined ? 'unknown' : (run.body as { readonly state: string }).state;
}

async function untilIdle(life: DaemonLife): Promise<void> {
  let idle = 0;
  while (idle < 5) {
    if (life.hasEnded) throw new Error(`the daemon ended: ${life.lastWords}`);
    await sleep(200);
    const open = await Promise.all([
      life.ask('GET', '/bench?state=queued'),
      life.ask('GET', '/bench?state=running'),
    ]);
    const isIdle = open.every(
      (answer) => (answer?.body as { runs?: unknown[] } | undefined)?.runs?.length === 0,
    );
    idle = isIdle ? idle + 1 : 0;
  }
}

async function askResources(life: DaemonLife, file: string): Promise<Told> {
  rmSync(file, { force: true });
  life.signal('SIGUSR2');
  for (;;) {
    await sleep(20);
    if (life.hasEnded) throw new Error(`the daemon ended: ${life.lastWords}`);
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Told;
    } catch {
      // Not written yet, or not to its end.
    }
  }
}

function figuresOf(told: Told, pid: number, { dataDir, tmpDir }: Home): Readonly<Record<string, number>> {
  const samplers = childrenOf(pid).filter((child) => commandOf(child).includes('sampler-main'));
  return {
    heapBytes: told.heapBytes,
    externalBytes: told.externalBytes,
    'daemon rss': told.rssBytes,
    'daemon descriptors': count(`/proc/${pid}/fd`),
    'daemon threads': count(`/proc/${pid}/task`),
    'daemon handles and timers': Object.values(told.resources).reduce((sum, n) => sum + n, 0),
    'listeners of the process': told.listeners,
    'samplers rss': samplers.reduce((sum, child) => sum + residentBytes(child), 0),
    'samplers descriptors': samplers.reduce((sum, child) => sum + count(`/proc/${child}/fd`), 0),
    'samplers threads': samplers.reduce((sum, child) => sum + count(`/proc/${child}/task`), 0),
    'children of the daemon': childrenOf(pid).length,
    'database bytes': sizeOf(join(dataDir, 'state.db')),
    'log of the database': sizeOf(join(dataDir, 'state.db-wal')),
    'data folder bytes': treeBytes(dataDir),
    'temporary files': treeCount(tmpDir) + treeCount(join(dataDir, 'tmp')),
  };
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  });
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function count(folder: string): number {
  return readdirSync(folder).length;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function treeBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce(
    (sum, name) => sum + sizeOf(join(folder, name)),
    0,
  );
}

function treeCount(folder: string): number {
  return readdirSync(folder, { recursive: true }).length;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
