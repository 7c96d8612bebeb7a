import { concatenated } from '../../src/benchmark/concatenated.ts';
import { geometricMeanInterval } from '../../src/benchmark/confidence-interval.ts';
import { runBench } from '../../src/benchmark/controller.ts';
import { percentile, sortedCopy } from '../../src/benchmark/latency-statistics.ts';
import { benchSettings } from '../../src/benchmark/settings.ts';
import type { VariantRecord } from '../../src/benchmark/variant-record.ts';
import { systemClock } from '../../src/core/clock.ts';
import { formatSeconds } from '../../src/core/units.ts';
import { contestantOf } from '../../src/jobs/variant-sut.ts';
import { unwrap } from '../support/unwrap.ts';
import {
  BASELINE_MODELS,
  findSubjects,
  MORE_MODELS,
  type PeerSubject,
  requirePeerPython,
} from './peer-subjects.ts';
import type { OnRow, PerfRow } from './perf-row.ts';
import { pythonSut } from './python-sut.ts';

const WORKER_ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const NAMES = ['mobilenetv2_imagenet', 'resnet20_cifar10', 'mnist_cntk'];
const PAIRS = Number(process.env['PTQ_PAIRS'] ?? 8);
const SECONDS = 4;
const MOST = 1.03;

/**
 * Our latencies against those of the same runtime driven from Python, in interleaved rounds on the same samples with one
 * thread. Where in memory a process comes to lie makes it faster or slower by some per cent for all of its life, so several
 * pairs of processes are measured: ratios of p50 and p99, geometric means over the pairs with their 95 % intervals.
 */
export async function benchAgainstPython(onRow: OnRow): Promise<readonly PerfRow[]> {
  const python = requirePeerPython();
  const known = [...BASELINE_MODELS, ...MORE_MODELS].filter(({ name }) => NAMES.includes(name));
  const rows: PerfRow[] = [];
  for (const subject of findSubjects(known, (reason) => console.error(reason))) {
    const pairs: (readonly [VariantRecord, VariantRecord])[] = [];
    for (let pair = 0; pair < PAIRS; pair++) pairs.push(await measurePair(python, subject, pair));
    for (const permille of [500, 990]) {
      const row = compare(subject.name, pairs, permille);
      onRow(row);
      rows.push(row);
    }
  }
  return rows;
}

async function measurePair(
  python: string,
  { name, modelPath, dataPath }: PeerSubject,
  pair: number,
): Promise<readonly [VariantRecord, VariantRecord]> {
  const settings = unwrap(
    benchSettings({ minDurationSeconds: SECONDS, rounds: 8, processes: 1, seed: pair }),
  );
  const data = { spec: { path: dataPath }, split: 'eval' };
  const request = { model: name, variants: [], data, threads: 1, settings };
  const own = contestantOf(request, { variant: 'ours', path: modelPath }, { entry: WORKER_ENTRY });
  const peer = pythonSut(python, modelPath, dataPath, 1);
  const contestants = [own, { identity: peer.identity, start: () => peer.handle }];
  const { records } = await runBench(contestants, settings, { clock: systemClock });
  return records as [VariantRecord, VariantRecord];
}

/** The percentile of all latencies of a process. */
function percentileOf({ rounds, failure }: VariantRecord, permille: number): number {
  if (failure !== null) throw new Error(failure.message);
  const sorted = sortedCopy(concatenated(rounds.map(({ latencyNs }) => latencyNs)));
  return percentile(sorted, permille) ?? (sorted.at(-1) as number);
}

function compare(
  subject: string,
  pairs: readonly (readonly [VariantRecord, VariantRecord])[],
  permille: number,
): PerfRow {
  const own = pairs.map(([ours]) => percentileOf(ours, permille));
  const peer = pairs.map(([, theirs]) => percentileOf(theirs, permille));
  const interval = geometricMeanInterval(
    own.map((ns, pair) => ns / (peer[pair] as number)),
    0.95,
  );
  if (interval === null) throw new Error('too few pairs');
  const { estimate, lower, upper } = interval;
  const middle = (values: readonly number[]) =>
    [...values].sort((a, b) => a - b)[values.length >> 1] as number;
  return {
    subject,
    figure: `p${permille / 10}, ours / Python's`,
    value: `${estimate.toFixed(3)} [${lower.toFixed(3)}, ${upper.toFixed(3)}]`,
    target: `≤ ${MOST}`,
    reached: estimate <= MOST,
    detail: `${formatSeconds(middle(own) / 1e9)} / ${formatSeconds(middle(peer) / 1e9)}`,
  };
}
