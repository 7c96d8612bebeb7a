import { readFileSync } from 'node:fs';

/** What decides how fast and how exact int8 arithmetic is on this host. */
export interface CpuFeatures {
  readonly architecture: string;
  readonly modelName: string;
  readonly logicalCpus: number;
  readonly avx2: boolean;
  readonly avx512: boolean;
  /** AVX512-VNNI or AVX-VNNI: u8·s8 products are summed without saturating at 16 bits. */
  readonly vnni: boolean;
  readonly amxInt8: boolean;
}

/** Reads the features from the text of /proc/cpuinfo. Source: Linux Documentation/arch/x86/cpuinfo.rst. */
export function parseCpuFeatures(cpuinfo: string, architecture: string): CpuFeatures {
  const field = (name: string) => new RegExp(`^${name}[ \\t]*:(.*)$`, 'm').exec(cpuinfo)?.[1]?.trim();
  const flags = new Set((field('flags') ?? field('Features') ?? '').split(/\s+/));
  return {
    architecture,
    modelName: field('model name') ?? 'unknown',
    logicalCpus: (cpuinfo.match(/^processor\s*:/gm) ?? []).length,
    avx2: flags.has('avx2'),
    avx512: flags.has('avx512f') && flags.has('avx512bw'),
    vnni: flags.has('avx512_vnni') || flags.has('avx_vnni'),
    amxInt8: flags.has('amx_int8'),
  };
}

/** The features of this host. Where there is no such file, as off Linux, none is known, which is the careful assumption. */
export function readCpuFeatures(cpuinfoPath = '/proc/cpuinfo'): CpuFeatures {
  return parseCpuFeatures(readIfPresent(cpuinfoPath), process.arch);
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/**
 * Whether 8-bit weights can overflow here: without VNNI the x86 kernels add pairs of products in 16 bits and saturate,
 * so weights need 7 bits (ONNX Runtime's `reduce_range`).
 */
export function int8SaturatesInPairs(cpu: CpuFeatures): boolean {
  return cpu.architecture === 'x64' && !cpu.vnni && !cpu.amxInt8;
}
