import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCpuList, parseCpuList } from '../../../src/jobs/cpu-list.ts';

describe('parseCpuList', () => {
  it.each([
    ['0', [0]],
    ['0-3,8', [0, 1, 2, 3, 8]],
    ['8,0-3', [0, 1, 2, 3, 8]],
    [' 1 , 3-4 ', [1, 3, 4]],
    ['1-3,2-4,3', [1, 2, 3, 4]],
    ['5-5', [5]],
    ['007', [7]],
    ['8191', [8191]],
  ])('reads %j', (text, cpus) => expect(parseCpuList(text)).toEqual({ ok: true, value: cpus }));

  it.each([
    ['', /found ""/],
    [',', /found ","/],
    ['0,,1', /found "0,,1"/],
    ['0-', /found "0-"/],
    ['-1', /found "-1"/],
    ['a', /found "a"/],
    ['0x3', /found "0x3"/],
    ['1.5', /found "1.5"/],
    ['0 1', /found "0 1"/],
    ['0-3:2', /found "0-3:2"/],
    ['1-2-3', /found "1-2-3"/],
    ['0;reboot', /found "0;reboot"/],
    ['$(id)', /found "\$\(id\)"/],
    ['0\n1', /found "0\\n1"/],
    ['٣', /found/],
    ['all', /found "all"/],
    ['3-0', /the range 3-0 of the CPU list runs backwards/],
    ['8192', /no CPU 8192: numbers go up to 8191/],
    ['0-99999', /no CPU 99999/],
    ['0-99999999999999999999', /found/],
    ['x'.repeat(1e6), /found "x{40}…"$/],
  ])('refuses %.30j and says what it expects', (text, message) => {
    expect(parseCpuList(text)).toMatchObject({
      ok: false,
      error: {
        kind: 'invalid-cpu-list',
        message: expect.stringMatching(message),
        hint: expect.stringContaining('0-3,8'),
      },
    });
  });
});

it('writes ranges as the kernel does', () => {
  expect(formatCpuList([0, 1, 2, 3, 8])).toBe('0-3,8');
  expect(formatCpuList([5])).toBe('5');
  expect(formatCpuList([1, 2])).toBe('1-2');
  expect(formatCpuList([])).toBe('');
});

it('reads every list that it writes', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(8191), { minLength: 1, maxLength: 200 }), (numbers) => {
      const cpus = [...numbers].sort((a, b) => a - b);
      expect(parseCpuList(formatCpuList(cpus))).toEqual({ ok: true, value: cpus });
    }),
  );
});
