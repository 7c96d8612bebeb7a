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

const ROUNDS = Number(process.env['PTQ_REPETITIONS'] ?? 5);

/**
 * Samples a second of an evaluation (reading, decoding, preparing, running and scoring) against running the model on
 * feeds that are in memory already: by the runtime's own threads, and by one process a core with one thread each. Rounds
 * take turns, and the better of the two is what the evaluation is held against.
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
  const figures = { evaluation: [] as number[], threads: [] as number[], processes: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    figures.threads.push(await runPreloaded(subject, 1, cores));
    figures.evaluation.push(await evaluate(subject));
    figures.processes.push(await runPreloaded(subject, cores, 1));
  }
  const { name } = subject;
  const rates = {
    evaluation: median(figures.evaluation),
    threads: median(figures.threads),
    processes: median(figures.processes),
  };
  const best = Math.max(rates.threads, rates.processes);
  const ratio = atLeastRow(name, 'evaluation / preloaded, samples a second', rates.evaluation / best, 0.85);
  return [
    { ...ratio, detail: `${rates.evaluation.toFixed(0)} / ${best.toFixed(0)}` },
    plainRow(name, `preloaded, one process of ${cores} threads`, rates.threads.toFixed(0)),
    plainRow(name, `preloaded, ${cores} processes of one thread`, rates.processes.toFixed(0)),
  ];
}

/** Samples a second from the first that is done to the last, without loading models. */
async function evaluate({ model, data, task, budget }: Subject): Promise<number> {
  const seen: { readonly done: number; readonly atMs: number }[] = [];
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
  if (first === undefined || last === undefined || first === last) throw new Error('there was no progress');
  return ((last.done - first.done) / (last.atMs - first.atMs)) * 1e3;
}

/** Samples a second of `count` processes together, which start at the same time. */
async function runPreloaded({ model, data }: Subject, count: number, threads: number): Promise<number> {
  const request = { modelPath: model, data, threads, passes: data.split === 'all' ? 1 : 2 };
  const children = Array.from({ length: count }, () =>
    fork(CHILD, [JSON.stringify(request)], { execArgv: ['--import', 'tsx'] }),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  const ends = children.map((child) => once(child, 'message'));
  for (const child of children) child.send('go');
  const results = (await Promise.all(ends)).map(([result]) => result as { samples: number; seconds: number });
  return results.reduce((sum, { samples, seconds }) => sum + samples / seconds, 0);
}
