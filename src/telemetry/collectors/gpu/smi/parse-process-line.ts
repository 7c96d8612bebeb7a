import type { GpuProcess } from '../gpu-reading.ts';
import { scaled, smiNumber } from './smi-value.ts';

export const PROCESS_QUERY = 'gpu_uuid,pid,used_gpu_memory';

export interface ProcessLine {
  readonly gpuUuid: string;
  readonly process: GpuProcess;
}

/** One line of `nvidia-smi --query-compute-apps=gpu_uuid,pid,used_gpu_memory --format=csv,noheader,nounits`. */
export function parseProcessLine(line: string): ProcessLine | undefined {
  const [gpuUuid = '', pidText, usedText, ...more] = line.split(', ');
  const pid = smiNumber(pidText);
  if (!gpuUuid.startsWith('GPU-') || pid === undefined || usedText === undefined || more.length > 0) {
    return undefined;
  }
  const usedBytes = scaled(smiNumber(usedText), 2 ** 20);
  return { gpuUuid, process: { pid, ...(usedBytes === undefined ? {} : { usedBytes }) } };
}
