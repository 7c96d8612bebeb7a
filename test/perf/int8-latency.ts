import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { geometricMeanInterval } from '../../src/benchmark/confidence-interval.ts';
import { interleaveRounds } from '../../src/benchmark/interleave.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { formatSeconds } from '../../src/core/units.ts';
import { openSamples } from '../../src/data/open-samples.ts';
import { openSession } from '../../src/runtime/session.ts';
import { unwrap } from '../support/unwrap.ts';
import { ownQuantize } from './own-quantize.ts';
import {
  BASELINE_MODELS,
  findSubjects,
  MORE_MODELS,
  type PeerSubject,
  requirePeerPython,
} from './peer-subjects.ts';
import { quantizeByPeer } from './peer-variant.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { median } from './statistics.ts';

interface Variant {
  readonly name: 'FP32' | 'ours' | 'peer';
  readonly path: string;
}

/** Median seconds of each round, in the order of the rounds. */
type Rounds = readonly number[];

interface ReadyVariant {
  readonly runs: readonly (() => Promise<void>)[];
  readonly close: () => Promise<void>;
}

const ROUNDS = 24;
const ROUND_SECONDS = 0.25;
const FEWEST_RUNS = 5;
const FEEDS = 8;
const SEED = 1;
/** An interval that reaches further does not show that a model is no slower. */
const WIDEST = 1.05;

/**
 * Latency of one inference at one thread: the original, our default recipe, and the peer's min-max QDQ, which is the
 * fastest that it makes of these models. All run in this process and take turns in rounds of a quarter of a second; a
 * ratio is taken round by round, its interval from the rounds.
 */
export async function int8Latency(onRow: OnRow): Promise<readonly PerfRow[]> {
  const python = requirePeerPython();
  const subjects = findSubjects([...BASELINE_MODELS, ...MORE_MODELS], (reason) => console.error(reason));
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-int8-latency-'));
  const rows: PerfRow[] = [];
  try {
    for (const subject of subjects) {
      for (const row of await latencyOf(subject, python, scratch)) {
        onRow(row);
        rows.push(row);
      }
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function latencyOf(subject: PeerSubject, python: string, scratch: string): Promise<readonly PerfRow[]> {
  const ours = join(scratch, `${subject.name}-ours.onnx`);
  const { report } = await ownQuantize(subject.modelPath, ours, ['--calibration', subject.dataPath]);
  const peer = await quantizeByPeer(subject, python, scratch);
  const variants: readonly Variant[] = [
    { name: 'FP32', path: subject.modelPath },
    { name: 'ours', path: ours },
    ...(peer.path === undefined ? [] : [{ name: 'peer', path: peer.path } as const]),
  ];
  const rounds = await measureRounds(variants, subject.dataPath);
  const [fp32 = [], own = [], other] = rounds;
  const { quantized, fused, float } = report.ops;
  return [
    {
      ...intervalRow(subject.name, 'ours / FP32', own, fp32),
      detail: `${inMilliseconds(own)} / ${inMilliseconds(fp32)}; ${fused} of ${quantized} nodes in int8, ${float.length} left float`,
    },
    other === undefined
      ? plainRow(subject.name, 'ours / peer', `the peer fails: ${peer.failure}`)
      : {
          ...intervalRow(subject.name, 'ours / peer', own, other),
          detail: `${inMilliseconds(own)} / ${inMilliseconds(other)}${peer.note}`,
        },
  ];
}

async function measureRounds(variants: readonly Variant[], dataPath: string): Promise<readonly Rounds[]> {
  const ready = await Promise.all(variants.map(({ path }) => openVariant(path, dataPath)));
  const rounds: number[][] = variants.map(() => []);
  try {
    for (const { runs } of ready) for (const run of runs) await run();
    for (const { variant } of interleaveRounds(variants.length, ROUNDS, SEED)) {
      rounds[variant]?.push(await roundOf(ready[variant] as ReadyVariant));
    }
  } finally {
    for (const { close } of ready) await close();
  }
  return rounds;
}

async function roundOf({ runs }: ReadyVariant): Promise<number> {
  const seconds: number[] = [];
  const start = performance.now();
  // The first run after another model finds the caches cold; it is not what a server sees.
  await (runs[0] as () => Promise<void>)();
  for (let index = 0; index < FEWEST_RUNS || performance.now() - start < ROUND_SECONDS * 1e3; index++) {
    const run = runs[index % runs.length] as () => Promise<void>;
    const before = performance.now();
    await run();
    seconds.push((performance.now() - before) / 1e3);
  }
  return median(seconds);
}

async function openVariant(path: string, dataPath: string): Promise<ReadyVariant> {
  const session = unwrap(await openSession(path, { intraOpThreads: 1 }));
  const options = { split: 'eval', modelInputs: session.inputs, limit: FEEDS };
  const source = unwrap(await openSamples(dataPath, options));
  const feeds: NamedTensors[] = [];
  for await (const sample of source.samples()) feeds.push(sample.feeds);
  await source.close();
  return { runs: feeds.map((feed) => session.prepare(feed)), close: () => session.close() };
}

/**
 * How long `candidate` takes against `base`. The target is missed where the interval lies above 1; where it holds 1 but is
 * wide, the host was too busy to tell.
 */
function intervalRow(subject: string, figure: string, candidate: Rounds, base: Rounds): PerfRow {
  const ratios = candidate.map((seconds, round) => seconds / (base[round] as number));
  const interval = geometricMeanInterval(ratios, 0.95);
  if (interval === null) throw new Error('an interval needs two rounds');
  const { estimate, lower, upper } = interval;
  const row = { subject, figure, value: `${estimate.toFixed(2)} [${lower.toFixed(2)}, ${upper.toFixed(2)}]` };
  if (lower <= 1 && upper > WIDEST) return { ...row, target: '≤ 1, not told by so wide an interval' };
  return { ...row, target: '≤ 1', reached: lower <= 1 };
}

function inMilliseconds(rounds: Rounds): string {
  return formatSeconds(median(rounds));
}
