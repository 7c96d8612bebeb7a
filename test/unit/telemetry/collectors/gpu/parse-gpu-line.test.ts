import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGpuLine } from '../../../../../src/telemetry/collectors/gpu/smi/parse-gpu-line.ts';
import { parseProcessLine } from '../../../../../src/telemetry/collectors/gpu/smi/parse-process-line.ts';
import { chooseSmiFields } from '../../../../../src/telemetry/collectors/gpu/smi/smi-fields.ts';

const FIELDS =
  chooseSmiFields('"index"\n"uuid"\n"utilization.gpu"\n"power.draw"\n"compute_cap"\n"name"') ?? [];

describe('a line about a GPU', () => {
  it.each([
    '0, GPU-1, 8.0, 7',
    '0, GPU-1',
    '',
    'index, uuid, compute_cap, utilization.gpu, power.draw, name',
    'NVRM: Xid (PCI:0000:30:00): 79, pid=1, name=x, GPU has, fallen, off',
    'zero, GPU-1, 8.0, 7, 50.5, A',
    '0, MIG-1, 8.0, 7, 50.5, A',
  ])('is not %j', (line) => expect(parseGpuLine(line, FIELDS)).toBeUndefined());

  it.each([
    ['8.9', { average: 50.5 }],
    ['8.0', { instant: 50.5 }],
    ['7.5', { instant: 50.5 }],
    ['[N/A]', { instant: 50.5 }],
  ])('of an old driver and compute capability %s tells power as it is', (capability, powerWatts) =>
    expect(parseGpuLine(`0, GPU-1, ${capability}, 7, 50.5, A, B`, FIELDS)?.gpu).toMatchObject({
      name: 'A, B',
      powerWatts,
    }),
  );

  it('may be anything without a fault', () =>
    fc.assert(
      fc.property(fc.string(), (line) => {
        parseGpuLine(line, FIELDS);
        parseProcessLine(line);
      }),
    ));
});

describe('a line about a process', () => {
  it.each(['GPU-1, 17', 'GPU-1, 17, 3, 4', 'GPU-1, seventeen, 3', 'x, 17, 3', ''])('is not %j', (line) =>
    expect(parseProcessLine(line)).toBeUndefined(),
  );
});

it('fields are not chosen from a text that is no list of them', () => {
  expect(chooseSmiFields('No devices were found')).toBeUndefined();
  expect(chooseSmiFields('"index"\n"name"')).toBeUndefined();
});
