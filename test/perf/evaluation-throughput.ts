import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadProfile } from '../../src/config/load-profiles.ts';
import type { TaskData } from '../../src/jobs/task-data.ts';
import { runTask } from '../../src/jobs/worker-process.ts';
import { findRealModels } from '../support/real-models.ts';
import { writeRealProfile } from '../support/real-profiles.ts';
import { atLeastRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { median } from './statistics.ts';

const CHILD = fileURLToPath(new URL('./preloaded-run-child.ts', import.meta.url));
const WORKER = new URL('../../dist/jobs/worker-main.js', import.meta.url);

/** Pictures from JPEG files, arrays of bytes, and a model that is faster than anything around it. */
const SUBJECTS = ['mobilenetv2_imagenet', 'squeezenet1_1', 'resnet20_cifar10', 'mnist_cntk'] as const;

/** Where the work around a model is much next to a model that takes milliseconds. */
const TARGETS: Readonly<Record<string, number>> = { mobilenetv2_imagenet: 0.85 };

const ROUNDS = Number(process.env['PTQ_REPETITIONS'] ?? 5);

/**
 * Samples a second of an evaluation (reading, decoding, preparing, running and scoring) against running the model on
 * feeds that are in memory already: by the runtime's own threads, and by one process a core with one thread each. Rounds
 * take turns.
 */
export async function evaluationThroughput(onRow: OnRow): Promise<readonly PerfRow[]> {
  const { directory, reason } = findRealModels();
  if (directory === undefined) {
    console.error(reason);
    return [];
  }
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-evaluation-throughput-'));
  const rows: PerfRow[] = [];
  try {
    for (const name of SUBJECTS) {
      for (const row of await measureSubject(await openSubject(name, directory, scratch))) {
        onRow(row);
        rows.push(row);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return rows;
}

async function openSubject(name: string, models: string, scratch: string): Promise<Subject> {
  const profile = await loadProfile(writeRealProfile(name, models, scratch));
  if (!profile.ok) throw new Error(JSON.stringify(profile.error));
  const { model, data, task, budget } = profile.value;
  const split = data.set.splits === undefined ? 'eval' : 'all';
  return { name, model, data: { spec: data.set, split }, task, budget };
}

interface Subject {
  readonly name: string;
  readonly model: string;
  readonly data: TaskData;
  readonly task: { readonly name: string; readonly settings: object };
  readonly budget: object;
}

async function measureSubject(subject: Subject): Promise<readonly PerfRow[]> {
  const cores = availableParallelism();
  const figures = { started: [], steady: [], threads: [], processes: [] } as Record<Figure, number[]>;
  for (let round = 0; round < ROUNDS; round += 1) {
    figures.threads.push(await runPreloaded(subject, 1, cores));
    const { started, steady } = await evaluate(subject);
    figures.started.push(started);
    figures.steady.push(steady);
    figures.processes.push(await runPreloaded(subject, cores, 1));
  }
  const { name } = subject;
  const [started, steady] = [median(figures.started), median(figures.steady)];
  const [threads, processes] = [median(figures.threads), median(figures.processes)];
  const row = (figure: string, rate: number, limit: number, target?: number): PerfRow => ({
    ...(target === undefined
      ? plainRow(name, figure, (rate / limit).toFixed(2))
      : atLeastRow(name, figure, rate / limit, target)),
    detail: `${rate.toFixed(0)} / ${limit.toFixed(0)} a second`,
  });
  return [
    row(`evaluation / preloaded, one process of ${cores} threads`, steady, threads, TARGETS[name]),
    row(`evaluation / preloaded, ${cores} processes of one thread`, steady, processes),
    row('the same with the start of its threads', started, processes),
  ];
}

type Figure = 'started' | 'steady' | 'threads' | 'processes';

/**
 * Samples a second from the first that is done to the last, and from the first quarter on, when all threads have loaded
 * the model, as the processes that it is held against have.
 */
async function evaluate({
  model,
  data,
  task,
  budget,
}: Subject): Promise<{ started: number; steady: number }> {
  const seen: { readonly done: number; readonly atMs: number }[] = [];
  // A worker inherits the options of this process, and its threads would start with a loader that users do not have.
  process.execArgv = [];
  const report = await runTask(
    { entry: WORKER },
    {
      kind: 'evaluate',
      reference: { variant: 'fp32', path: model },
      candidates: [{ variant: 'fp32', path: model }],
      data,
      task: task as never,
      budget,
      threads: 0,
    },
    {
      onEvent: (event) => {
        if (event.kind === 'progress') seen.push({ done: event.progress.done, atMs: performance.now() });
      },
    },
  );
  if (!report.ok) throw new Error(report.error.message);
  const [first, last] = [seen[0], seen.at(-1)];
  const quarter = seen.find(({ done }) => done >= (last?.done ?? 0) / 4);
  if (first === undefined || quarter === undefined || last === undefined || quarter === last) {
    throw new Error('there was no progress');
  }
  const since = (from: typeof first) => ((last.done - from.done) / (last.atMs - from.atMs)) * 1e3;
  return { started: since(first), steady: since(quarter) };
}

/** Samples a second of `count` processes together, which start at the same time. */
async function runPreloaded({ model, data }: Subject, count: number, threads: number): Promise<number> {
  const request = { modelPath: model, data, threads, passes: data.split === 'all' ? 1 : 2 };
  const children = Array.from({ length: count }, () =>
    fork(CHILD, [JSON.stringify(request)], { execArgv: ['--import', 'tsx'] }),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  const ends = children.map((child) => once(child, 'message'));
  // Giving back their memory takes them a while, in which nothing else is to be measured.
  const exits = children.map((child) => once(child, 'exit'));
  for (const child of children) child.send('go');
  const ended = await Promise.all(ends);
  await Promise.all(exits);
  const results = ended.map(([result]) => result as { samples: number; seconds: number });
  return results.reduce((sum, { samples, seconds }) => sum + samples / seconds, 0);
}
