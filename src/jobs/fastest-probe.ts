import type { Device } from '../core/device.ts';
import { PROVIDER_OF } from '../runtime/nodes-by-provider.ts';
import type { Arithmetic } from '../trace/roofline/peaks.ts';
import {
  floatConvolution,
  floatProduct,
  integerProduct,
  type ProbeModel,
  type ProductSize,
  quantizedProduct,
} from './probe-models.ts';
import { type ProbeSettings, timeProbe } from './time-probe.ts';

/** The highest rate that probes of the same kind reached. */
export interface FastestProbe {
  /** Operations or bytes. */
  readonly perSecond: number;
  /** For people, such as `MatMul 512×1024×1024`. */
  readonly kernel: string;
  /** Whether that is no accident of a single run. */
  readonly steady: boolean;
}

/** Devices of unknown speed are tried with more and more work; a kernel that takes so long has shown what it can do. */
const ENOUGH_SECONDS = 0.05;

/** Times probes one after the other. Null where the runtime has a kernel for none of them. Throws as `timeProbe`. */
export async function fastestProbe(
  probes: readonly ProbeModel[],
  settings: ProbeSettings,
): Promise<FastestProbe | null> {
  let best: FastestProbe | null = null;
  for (const probe of probes) {
    const timing = await timeProbe(probe, settings, PROVIDER_OF[settings.device]);
    if (timing === null) continue;
    const perSecond = (probe.operations || probe.bytes) / timing.seconds;
    if (best === null || perSecond > best.perSecond) {
      best = { perSecond, kernel: probe.name, steady: timing.steady };
    }
    if (timing.seconds >= ENOUGH_SECONDS) break;
  }
  return best;
}

/** Probes whose best tells how fast a device computes, the smallest first. */
export function computeProbes(
  device: Device,
  threads: number,
  arithmetic: Arithmetic,
): readonly ProbeModel[] {
  const sizes = device === 'cpu' ? sizesFor(threads) : SIZES_OF_DEVICES;
  switch (arithmetic) {
    case 'float32':
      return [
        ...sizes.map((size) => floatProduct(size, 'float')),
        ...(device === 'cpu' ? [floatConvolution(threads, 128)] : []),
      ];
    case 'float16':
      return sizes.map((size) => floatProduct(size, 'float16'));
    case 'int8':
      return sizes.flatMap((size) => [integerProduct(size), quantizedProduct(size)]);
  }
}

/** As many rows for each thread; with weights that stay in the cache of a core, and with some that do not. */
function sizesFor(threads: number): readonly ProductSize[] {
  return [
    { rows: 512 * threads, inner: 512 },
    { rows: 256 * threads, inner: 1024 },
  ];
}

const SIZES_OF_DEVICES: readonly ProductSize[] = [256, 512, 1024, 2048, 4096].map((size) => ({
  rows: size,
  inner: size,
}));
