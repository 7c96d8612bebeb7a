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
import { type OwnQuantization, ownQuantizeIfItPays } from './own-quantize.ts';
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

type VariantName = 'fp32' | 'ours' | 'peer';

/** Where the models are. */
type VariantPaths = { readonly fp32: string } & { readonly [Name in VariantName]?: string };

/** Median seconds of each round, in the order of the rounds. */
type Rounds = readonly number[];

type VariantRounds = { readonly fp32: Rounds } & { readonly [Name in VariantName]?: Rounds };

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
 * fastest that it makes of these models. Where we refuse because int8 does not pay, ours is the original. All run in this
 * process and take turns in rounds of a quarter of a second; a ratio is taken round by round, its interval from the
 * rounds.
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
  const { name, modelPath, dataPath } = subject;
  const path = join(scratch, `${name}-ours.onnx`);
  const quantized = await ownQuantizeIfItPays(modelPath, path, ['--calibration', dataPath]);
  const peer = await quantizeByPeer(subject, python, scratch);
  const paths = {
    fp32: modelPath,
    ...(quantized === undefined ? {} : { ours: path }),
    ...(peer.path === undefined ? {} : { peer: peer.path }),
  };
  const { fp32, ours = fp32, peer: other } = await measureRounds(paths, dataPath);
  const figure = 'ours / peer';
  return [
    quantized === undefined
      ? { ...plainRow(name, 'ours / FP32', '1'), target: '≤ 1', reached: true, detail: 'stays float32' }
      : {
          ...intervalRow(name, 'ours / FP32', ours, fp32),
          detail: `${inMilliseconds(ours)} / ${inMilliseconds(fp32)}; ${inInt8(quantized)}`,
        },
    other === undefined
      ? plainRow(name, figure, `the peer fails: ${peer.failure}`)
      : {
          ...intervalRow(name, figure, ours, other),
          detail: `${inMilliseconds(ours)} / ${inMilliseconds(other)}${peer.note}`,
        },
  ];
}

function inInt8({ report: { ops } }: OwnQuantization): string {
  return `${ops.fused} of ${ops.quantized} nodes in int8, ${ops.float.length} left float`;
}

async function measureRounds(paths: VariantPaths, dataPath: string): Promise<VariantRounds> {
  const names = Object.keys(paths) as VariantName[];
  const ready = await Promise.all(names.map((name) => openVariant(paths[name] as string, dataPath)));
  const rounds: number[][] = names.map(() => []);
  try {
    for (const { runs } of ready) for (const run of runs) await run();
    for (const { variant } of interleaveRounds(names.length, ROUNDS, SEED)) {
      rounds[variant]?.push(await roundOf(ready[variant] as ReadyVariant));
    }
  } finally {
    for (const { close } of ready) await close();
  }
  return Object.fromEntries(names.map((name, index) => [name, rounds[index]])) as unknown as VariantRounds;
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
  const source = unwrap(await openSamples({ path: dataPath }, options));
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
