import { geometricMeanInterval } from '../../src/benchmark/confidence-interval.ts';
import { runBench } from '../../src/benchmark/controller.ts';
import { percentile, sortedCopy } from '../../src/benchmark/latency-statistics.ts';
import { benchSettings } from '../../src/benchmark/settings.ts';
import type { VariantRecord } from '../../src/benchmark/variant-record.ts';
import { systemClock } from '../../src/core/clock.ts';
import { formatSeconds } from '../../src/core/units.ts';
import { startVariant } from '../../src/jobs/variant-sut.ts';
import { unwrap } from '../support/unwrap.ts';
import { BASELINE_MODELS, findSubjects, MORE_MODELS, requirePeerPython } from './peer-subjects.ts';
import type { OnRow, PerfRow } from './perf-row.ts';
import { pythonSut } from './python-sut.ts';

const WORKER_ENTRY = new URL('../../dist/jobs/worker-main.js', import.meta.url);
const NAMES = ['mobilenetv2_imagenet', 'mnist_cntk', 'resnet20_cifar10'];
const SECONDS = Number(process.env['PTQ_BENCH_SECONDS'] ?? 24);
const MOST = 1.03;

/**
 * Our latencies against those of the same runtime driven from Python, in interleaved rounds on the same samples with one
 * thread: ratios of p50 and p99, geometric means over the rounds with their 95 % intervals.
 */
export async function benchAgainstPython(onRow: OnRow): Promise<readonly PerfRow[]> {
  const python = requirePeerPython();
  const known = [...BASELINE_MODELS, ...MORE_MODELS].filter(({ name }) => NAMES.includes(name));
  const rows: PerfRow[] = [];
  for (const { name, modelPath, dataPath } of findSubjects(known, (reason) => console.error(reason))) {
    const settings = unwrap(benchSettings({ minDurationSeconds: SECONDS, rounds: 24 }));
    const request = {
      model: name,
      variants: [],
      data: { spec: { path: dataPath }, split: 'eval' },
      threads: 1,
      settings,
    };
    const own = startVariant(request, { variant: 'ours', path: modelPath }, { entry: WORKER_ENTRY });
    try {
      const peer = pythonSut(python, modelPath, dataPath, 1);
      const { records } = await runBench([own.sut, peer], settings, { clock: systemClock });
      const [ours, theirs] = records as [VariantRecord, VariantRecord];
      for (const permille of [500, 990]) {
        const row = compare(name, ours, theirs, permille);
        onRow(row);
        rows.push(row);
      }
    } finally {
      await own.worker.close();
    }
  }
  return rows;
}

function compare(subject: string, ours: VariantRecord, theirs: VariantRecord, permille: number): PerfRow {
  const figures = ({ rounds, failure }: VariantRecord) => {
    if (failure !== null) throw new Error(failure.message);
    return rounds.map(({ latencyNs }) => {
      const sorted = sortedCopy(latencyNs);
      return percentile(sorted, permille) ?? (sorted.at(-1) as number);
    });
  };
  const [own, peer] = [figures(ours), figures(theirs)];
  const interval = geometricMeanInterval(
    own.map((ns, round) => ns / (peer[round] as number)),
    0.95,
  );
  if (interval === null) throw new Error('too few rounds');
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
