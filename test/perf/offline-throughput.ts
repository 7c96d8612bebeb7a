import { availableParallelism } from 'node:os';
import { geometricMeanInterval } from '../../src/benchmark/confidence-interval.ts';
import { benchSettings } from '../../src/benchmark/settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { benchVariants } from '../../src/jobs/bench-variants.ts';
import { unwrap } from '../support/unwrap.ts';
import { BASELINE_MODELS, findSubjects, MORE_MODELS, type PeerSubject } from './peer-subjects.ts';
import type { OnRow, PerfRow } from './perf-row.ts';

const WORKER_ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const NAMES = ['mobilenetv2_imagenet', 'squeezenet1_1', 'resnet20_cifar10', 'mnist_cntk'];
const LEAST = 0.95;
const ROUNDS = 6;

/**
 * Samples per second of k lanes with one thread each against one lane with k threads, which is what the runtime makes of the
 * cores by itself; whole offline benchmarks by turns, paired.
 */
export async function offlineThroughput(onRow: OnRow): Promise<readonly PerfRow[]> {
  const known = [...BASELINE_MODELS, ...MORE_MODELS].filter(({ name }) => NAMES.includes(name));
  const rows: PerfRow[] = [];
  const cores = availableParallelism();
  for (const subject of findSubjects(known, (reason) => console.error(reason))) {
    const ratios: number[] = [];
    const lanes: number[] = [];
    const own: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ofLanes = () => throughput(subject, cores, 1);
      const ofRuntime = () => throughput(subject, 1, cores);
      const [first, second] = round % 2 === 0 ? [ofLanes, ofRuntime] : [ofRuntime, ofLanes];
      const measured = [await first(), await second()];
      const [a, b] = (round % 2 === 0 ? measured : measured.reverse()) as [number, number];
      lanes.push(a);
      own.push(b);
      ratios.push(a / b);
    }
    const interval = geometricMeanInterval(ratios, 0.95);
    if (interval === null) throw new Error('too few rounds');
    const { estimate, lower, upper } = interval;
    const row: PerfRow = {
      subject: subject.name,
      figure: `offline, ${cores} lanes / ${cores} threads of the runtime`,
      value: `${estimate.toFixed(2)} [${lower.toFixed(2)}, ${upper.toFixed(2)}]`,
      target: `≥ ${LEAST}`,
      reached: estimate >= LEAST,
      detail: `${mean(lanes).toFixed(0)} / ${mean(own).toFixed(0)} samples a second`,
    };
    onRow(row);
    rows.push(row);
  }
  return rows;
}

async function throughput({ name, modelPath, dataPath }: PeerSubject, lanes: number, threads: number) {
  const settings = { scenario: 'offline', concurrency: lanes, rounds: 1, minDurationSeconds: 3 } as const;
  const { results } = await benchVariants(
    {
      model: name,
      variants: [{ variant: name, path: modelPath }],
      data: { spec: { path: dataPath }, split: 'eval' },
      threads,
      settings: unwrap(benchSettings(settings)),
    },
    { host: { entry: WORKER_ENTRY }, clock: systemClock },
  );
  const result = results[0];
  if (result?.throughput == null) throw new Error(result?.invalidReasons.join(' ') ?? 'nothing was measured');
  return result.throughput;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
