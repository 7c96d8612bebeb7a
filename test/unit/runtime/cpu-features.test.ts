import { describe, expect, it } from 'vitest';
import {
  int8SaturatesInPairs,
  parseCpuFeatures,
  readCpuFeatures,
} from '../../../src/runtime/cpu-features.ts';

const cpuinfo = (flags: string) => `processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Processor @ 2.10GHz
flags\t\t: fpu ${flags} rdpid
power management:

processor\t: 1
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Processor @ 2.10GHz
flags\t\t: fpu ${flags} rdpid
power management:
`;

const ARM = `processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes asimddp i8mm
CPU implementer\t: 0x41
`;

describe('parseCpuFeatures', () => {
  it('reads model, processors and flags', () => {
    expect(parseCpuFeatures(cpuinfo('avx2 avx512f avx512bw avx512_vnni amx_int8'), 'x64')).toEqual({
      architecture: 'x64',
      modelName: 'Intel(R) Xeon(R) Processor @ 2.10GHz',
      logicalCpus: 2,
      avx2: true,
      avx512: true,
      vnni: true,
      amxInt8: true,
    });
  });

  it.each([
    ['avx512f', { avx512: false }],
    ['avx512f avx512bw', { avx512: true, vnni: false }],
    ['avx2 avx_vnni', { avx2: true, vnni: true, avx512: false }],
    ['avx512_vnni_not', { vnni: false }],
    ['', { avx2: false, vnni: false, amxInt8: false }],
  ])('takes the flags "%s" for %j', (flags, expected) => {
    expect(parseCpuFeatures(cpuinfo(flags), 'x64')).toMatchObject(expected);
  });

  it('reads what ARM calls features, and does without a model name', () => {
    expect(parseCpuFeatures(ARM, 'arm64')).toMatchObject({
      modelName: 'unknown',
      logicalCpus: 1,
      vnni: false,
    });
  });

  it('does not read the next line for a field that is empty', () => {
    expect(parseCpuFeatures('model name\t:\nflags\t: avx2\n', 'x64')).toMatchObject({
      modelName: '',
      avx2: true,
    });
  });
});

describe('readCpuFeatures', () => {
  it('knows no feature where the file does not exist', () => {
    expect(readCpuFeatures('/nonexistent/cpuinfo')).toMatchObject({ modelName: 'unknown', vnni: false });
  });
});

describe('int8SaturatesInPairs', () => {
  it.each([
    ['x64', 'avx2', true],
    ['x64', 'avx2 avx512f avx512bw', true],
    ['x64', 'avx2 avx_vnni', false],
    ['x64', 'avx512_vnni', false],
    ['x64', 'amx_int8', false],
    ['arm64', '', false],
  ])('on %s with "%s": %s', (architecture, flags, saturates) => {
    expect(int8SaturatesInPairs(parseCpuFeatures(cpuinfo(flags), architecture))).toBe(saturates);
  });
});
