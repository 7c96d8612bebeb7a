import { describe, expect, it } from 'vitest';
import { collectCpu } from '../../../../src/telemetry/collectors/cpu.ts';
import { OpenFiles } from '../../../../src/telemetry/collectors/open-files.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

describe('collectCpu', () => {
  it('reads cumulative seconds per mode over all CPUs, and how many CPUs are online', () => {
    expect(collectCpu(fixtureHost)).toEqual({
      ok: true,
      value: {
        cpuCount: 4,
        secondsByMode: {
          user: 13000.25,
          nice: 12.04,
          system: 4022.18,
          idle: 900123.45,
          iowait: 204.1,
          irq: 0,
          softirq: 81.23,
          steal: 5.12,
        },
      },
    });
  });

  it('reads a host of 512 CPUs, whose file has more than 64 KiB, through files that stay open', () => {
    const cpus = Array.from(
      { length: 512 },
      (_, cpu) => `cpu${cpu} 325006 301 100554 22503086 5102 0 2030 128 0 0\n`,
    );
    const text = `cpu  1 2 3 4 5 6 7 8 0 0\n${cpus.join('')}intr 9${' 0'.repeat(40_000)}\nctxt 1\n`;
    const host = { ...hostWith({ 'proc/stat': text }), files: new OpenFiles() };
    for (const _time of [1, 2]) {
      expect(collectCpu(host)).toMatchObject({ value: { cpuCount: 512, secondsByMode: { steal: 0.08 } } });
    }
  });

  it('is absent on a host without /proc/stat', () => {
    expect(collectCpu(hostWith({ 'proc/stat': null }))).toMatchObject({
      ok: false,
      error: { kind: 'absent', place: { file: expect.stringMatching(/proc\/stat$/) } },
    });
  });

  it.each([
    ['a field that is no number', 'cpu  12 0 x3 4 5 6 7 8\ncpu0 1', 1, /system.*"x3"/],
    ['a line that ends early', 'cpu  12 0 3\ncpu0 1', 1, /idle.*nothing/],
    ['another first line', 'intr 5\n', 1, /"intr"/],
    ['an empty file', '', 1, /line of all CPUs/],
    ['no line per CPU', 'cpu  1 2 3 4 5 6 7 8\nintr 5\n', 2, /line per CPU/],
  ])('names file and line of %s', (_what, text, line, message) => {
    expect(collectCpu(hostWith({ 'proc/stat': text }))).toMatchObject({
      ok: false,
      error: {
        kind: 'malformed',
        message: expect.stringMatching(message),
        place: { file: expect.stringMatching(/proc\/stat$/), line },
      },
    });
  });
});
