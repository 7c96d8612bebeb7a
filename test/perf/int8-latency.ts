import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inMilliseconds, intervalRow, measureRounds } from './latency-rounds.ts';
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

/**
 * Latency of one inference at one thread: the original, our default recipe, and the peer's min-max QDQ, which is the
 * fastest that it makes of these models. Where we refuse because int8 does not pay, ours is the original.
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
  const { fp32 = [], ours = fp32, peer: other } = await measureRounds(paths, dataPath);
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
