import { cpus } from 'node:os';
import { systemClock } from '../core/clock.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import type { OutputsOrigin } from './outputs-file.ts';

/** What outputs that are computed here and now come from. */
export function outputsOrigin(): OutputsOrigin {
  return {
    onnxRuntimeVersion: onnxRuntimeVersion(),
    cpuModel: cpus()[0]?.model ?? 'unknown',
    recordedWallMs: systemClock.wallMs(),
  };
}
