import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../support/program.ts';
import { inMilliseconds, intervalRow, measureRounds, type Rounds } from './latency-rounds.ts';
import { ownQuantize } from './own-quantize.ts';
import { BASELINE_MODELS, findSubjects, type PeerSubject, requirePeerPython } from './peer-subjects.ts';
import { type PeerMethod, quantizeByPeer } from './peer-variant.ts';
import { atLeastRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const PEER_METHODS: readonly PeerMethod[] = ['minmax', 'percentile'];
const LEVELS = ['none', 'fast', 'full'] as const;

/** How much nearer to float32 a tuned model is to be than the best of the peer's. */
const LEAST_GAIN_DB = 3;

/** Names of the models, with commas between; all unless set. */
const ONLY = process.env['PTQ_ONLY']?.split(',');

/** On samples that no quantization saw. */
interface Accuracy {
  readonly sqnrDb: number;
  /** The share of answers that are float32's. */
  readonly agreement: number;
}

/**
 * What each level of tuning makes of the baseline models, as a user calls it, against the better one of the peer's static int8
 * models: SQNR and agreement with float32 on the evaluation split, and latency at one thread against the faster
 * of the peer's.
 */
export async function tunedAccuracy(onRow: OnRow): Promise<readonly PerfRow[]> {
  const python = requirePeerPython();
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-tuned-accuracy-'));
  const rows: PerfRow[] = [];
  const subjects = findSubjects(BASELINE_MODELS, (reason) => console.error(reason));
  try {
    for (const subject of subjects.filter(({ name }) => ONLY?.includes(name) ?? true)) {
      for (const row of await rowsOf(subject, python, scratch)) {
        onRow(row);
        rows.push(row);
      }
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function rowsOf(subject: PeerSubject, python: string, scratch: string): Promise<readonly PerfRow[]> {
  const { name, modelPath, dataPath } = subject;
  const paths: Record<string, string> = {};
  const left: Record<string, string> = {};
  for (const method of PEER_METHODS) {
    const { path, failure } = await quantizeByPeer(subject, python, scratch, method);
    if (path === undefined) throw new Error(`the peer fails on ${name}: ${failure}`);
    paths[`peer ${method}`] = path;
  }
  for (const tune of LEVELS) {
    const path = join(scratch, `${name}-${tune}.onnx`);
    const { report } = await ownQuantize(modelPath, path, ['--calibration', dataPath, '--tune', tune]);
    paths[tune] = path;
    left[tune] =
      `; ${report.ops.float.length} of ${report.ops.float.length + report.ops.quantized} nodes left float`;
  }
  const accuracies = await evaluate(subject, paths);
  const rounds = await measureRounds(paths, dataPath);
  const peers = PEER_METHODS.map((method) => `peer ${method}`);
  const best = highest(peers.map((peer) => (accuracies[peer] as Accuracy).sqnrDb));
  const fastest = lowest(peers.map((peer) => rounds[peer] as Rounds));
  return [
    ...peers.map((peer) => accuracyRow(name, peer, accuracies[peer] as Accuracy)),
    ...LEVELS.flatMap((tune) => {
      const accuracy = accuracies[tune] as Accuracy;
      const gainDb = accuracy.sqnrDb - best;
      const gain = `tune ${tune}: dB over the peer's best`;
      return [
        accuracyRow(name, `tune ${tune}`, accuracy, left[tune]),
        tune === 'none'
          ? plainRow(name, gain, gainDb.toFixed(1))
          : atLeastRow(name, gain, gainDb, LEAST_GAIN_DB),
        {
          ...intervalRow(name, `tune ${tune}: latency over the peer's`, rounds[tune] as Rounds, fastest),
          detail: `${inMilliseconds(rounds[tune] as Rounds)} / ${inMilliseconds(fastest)}`,
        },
      ];
    }),
  ];
}

async function evaluate(
  { modelPath, dataPath }: PeerSubject,
  paths: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, Accuracy>>> {
  const { code, stdout, stderr } = await runProgram([
    ...['evaluate', modelPath, ...Object.values(paths), '--data', dataPath, '--json', '--quiet'],
  ]);
  // A verdict that failed is an outcome as well.
  if (code !== 0 && code !== 1) throw new Error(`the evaluation failed: ${stderr}`);
  const results = JSON.parse(stdout) as readonly Accuracy[];
  return Object.fromEntries(Object.keys(paths).map((name, at) => [name, results[at] as Accuracy]));
}

function accuracyRow(subject: string, figure: string, { sqnrDb, agreement }: Accuracy, note = ''): PerfRow {
  const detail = `${(agreement * 100).toFixed(1)} % as float32${note}`;
  return { ...plainRow(subject, figure, `${sqnrDb.toFixed(1)} dB`), detail };
}

function highest(values: readonly number[]): number {
  return values.reduce((best, value) => Math.max(best, value));
}

/** Round by round, so that the ratio stays one of the same moment. */
function lowest(of: readonly Rounds[]): Rounds {
  const [first = [], ...others] = of;
  return first.map((seconds, round) => Math.min(seconds, ...others.map((rounds) => rounds[round] as number)));
}
