import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { phaseUsage, readOwnCounters } from '../../../src/jobs/own-counters.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const IO = 'rchar: 1\nwchar: 2\nread_bytes: 300\nwrite_bytes: 400\ncancelled_write_bytes: 5\n';

function ioFile(text: string): string {
  const file = join(temporaryFolder(), 'io');
  writeFileSync(file, text);
  return file;
}

describe('readOwnCounters', () => {
  it('reads what this process let be fetched and written', () => {
    expect(readOwnCounters(ioFile(IO))).toMatchObject({
      pid: process.pid,
      io: { readBytes: 300, writtenBytes: 400 },
    });
  });

  it.each([
    ['no such file', undefined],
    ['a file cut short', IO.slice(0, 30)],
    ['a negative count', 'read_bytes: -3\nwrite_bytes: 4\n'],
  ])('has no figures of storage with %s', (_what, text) => {
    const counters = readOwnCounters(text === undefined ? '/nonexistent/io' : ioFile(text));
    expect(counters).not.toHaveProperty('io');
    expect(counters.peakRssBytes).toBeGreaterThan(2 ** 20);
  });

  it('counts on from one reading to the next', () => {
    const before = readOwnCounters();
    const kept = Buffer.alloc(2 ** 26, 1);
    const usage = phaseUsage(before, readOwnCounters());
    expect(usage.cpuSeconds).toBeGreaterThan(0);
    // Rose by these 64 MiB, unless as much had been resident before and was given back.
    expect(usage.peakRssBytes ?? before.peakRssBytes).toBeGreaterThanOrEqual(kept.length);
  });
});

describe('phaseUsage', () => {
  const before = { pid: 3, cpuSeconds: 1.5, peakRssBytes: 100, io: { readBytes: 10, writtenBytes: 20 } };

  it('is the growth of what counts on, and the peak itself where it rose', () => {
    const after = { pid: 3, cpuSeconds: 2, peakRssBytes: 101, io: { readBytes: 15, writtenBytes: 20 } };
    expect(phaseUsage(before, after)).toEqual({
      pid: 3,
      cpuSeconds: 0.5,
      peakRssBytes: 101,
      io: { readBytes: 5, writtenBytes: 0 },
    });
  });

  it('has no peak that was reached before, and nothing of storage that one reading lacks', () => {
    const { io: _io, ...after } = before;
    expect(phaseUsage(before, after)).toEqual({ pid: 3, cpuSeconds: 0 });
  });
});
