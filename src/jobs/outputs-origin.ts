import type { Clock } from '../core/clock.ts';
import { readCpuFeatures } from '../runtime/cpu-features.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import type { OutputsOrigin } from './outputs-file.ts';

/** What outputs that are computed here and now come from. */
export function outputsOrigin(clock: Clock): OutputsOrigin {
  return {
    onnxRuntimeVersion: onnxRuntimeVersion(),
    cpuModel: readCpuFeatures().modelName,
    recordedWallMs: clock.wallMs(),
  };
}
