import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatSeconds } from '../../src/core/units.ts';
import { ownQuantize } from './own-quantize.ts';
import {
  BASELINE_MODELS,
  findSubjects,
  type PeerSubject,
  peerScript,
  requirePeerPython,
} from './peer-subjects.ts';
import { atLeastRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { median } from './statistics.ts';
import { watchJson } from './watched-process.ts';

/** What one quantization, one process from its start to its end, took. */
interface Cost {
  readonly processSeconds: number;
  /** As the tool itself reports it: without starting and loading libraries. */
  readonly workSeconds: number;
  readonly peakRssBytes: number;
}

interface PeerReport {
  readonly seconds: number;
  readonly peakRssBytes: number;
}

interface Pairing {
  readonly own: 'minmax' | 'percentile' | 'entropy' | 'mse';
  readonly peer: 'minmax' | 'percentile' | 'entropy';
  /** How many times as fast as the peer it should be. */
  readonly least: number;
}

/** The peer has no MSE; it is held against the faster one of the peer's histogram methods. */
const PAIRINGS: readonly Pairing[] = [
  { own: 'minmax', peer: 'minmax', least: 2 },
  { own: 'percentile', peer: 'percentile', least: 8 },
  { own: 'entropy', peer: 'entropy', least: 8 },
  { own: 'mse', peer: 'percentile', least: 8 },
];

const REPETITIONS = Number(process.env['PTQ_REPETITIONS'] ?? 3);

/**
 * Quantizes the four baseline models with this tool and with onnxruntime.quantization by turns, on the same samples and
 * with as many threads as there are cores. Ratios are medians over the repetitions, each of two runs in a row.
 */
export async function quantizePeer(onRow: OnRow): Promise<readonly PerfRow[]> {
  const python = requirePeerPython();
  const subjects = findSubjects(BASELINE_MODELS, (reason) => console.error(reason));
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-quantize-peer-'));
  const rows: PerfRow[] = [];
  try {
    for (const subject of subjects) {
      for (const pairing of PAIRINGS) {
        for (const row of await comparePairing(subject, pairing, python, scratch)) {
          onRow(row);
          rows.push(row);
        }
      }
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function comparePairing(
  { name, modelPath, dataPath }: PeerSubject,
  { own, peer, least }: Pairing,
  python: string,
  scratch: string,
): Promise<readonly PerfRow[]> {
  const runOwn = async (): Promise<Cost> => {
    const target = join(scratch, 'own.onnx');
    const run = await ownQuantize(modelPath, target, [
      ...['--calibration', dataPath, '--method', own],
      // The peer does not ask whether int8 pays.
      ...['--latency-gate', 'off'],
    ]);
    return {
      processSeconds: run.seconds,
      workSeconds: run.report.seconds,
      peakRssBytes: run.peakRssBytes,
    };
  };
  const runPeer = async (): Promise<Cost> => {
    const target = join(scratch, 'peer.onnx');
    const script = [peerScript('peer-quantize.py'), modelPath, dataPath, target, '--method', peer];
    const { seconds, report } = await watchJson<PeerReport>(python, script);
    return { processSeconds: seconds, workSeconds: report.seconds, peakRssBytes: report.peakRssBytes };
  };
  const owns: Cost[] = [];
  const peers: Cost[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    // Who goes first changes, so that a host that slows down or speeds up favours neither.
    if (repetition % 2 === 0) owns.push(await runOwn());
    peers.push(await runPeer());
    if (repetition % 2 === 1) owns.push(await runOwn());
  }
  const ratioOf = (figure: keyof Cost) =>
    median(peers.map((cost, index) => cost[figure] / (owns[index] as Cost)[figure]));
  const medians = (costs: readonly Cost[], figure: keyof Cost) => median(costs.map((cost) => cost[figure]));
  const seconds = (figure: 'processSeconds' | 'workSeconds') =>
    `${formatSeconds(medians(peers, figure))} / ${formatSeconds(medians(owns, figure))}`;
  const mebibytes = (costs: readonly Cost[]) => Math.round(medians(costs, 'peakRssBytes') / 2 ** 20);
  const subject = own === peer ? `${name}, ${own}` : `${name}, ${own} (peer: ${peer})`;
  return [
    {
      ...atLeastRow(subject, 'whole process, peer / ours', ratioOf('processSeconds'), least),
      detail: seconds('processSeconds'),
    },
    {
      ...plainRow(subject, 'work alone, peer / ours', ratioOf('workSeconds').toFixed(2)),
      detail: seconds('workSeconds'),
    },
    {
      ...plainRow(subject, 'peak memory, peer / ours', ratioOf('peakRssBytes').toFixed(2)),
      detail: `${mebibytes(peers)} MiB / ${mebibytes(owns)} MiB`,
    },
  ];
}
