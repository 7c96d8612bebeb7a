import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeriesFamily } from '../../../src/metrics/series-family.ts';

const create = () => new SeriesFamily('disk_bytes', 'Bytes.', 'gauge', ['device']);

describe('a family of series', () => {
  it('shows a value that has changed, and forgets one that is gone', () => {
    const family = create();
    family.set({ device: 'a' }, 1);
    family.set({ device: 'b' }, 2);
    expect(family.samplesText()).toBe('disk_bytes{device="a"} 1\ndisk_bytes{device="b"} 2\n');
    family.set({ device: 'a' }, 3);
    family.set({ device: 'b' }, undefined);
    expect(family.samplesText()).toBe('disk_bytes{device="a"} 3\n');
    family.set({ device: 'a' }, Number.NaN);
    expect(family.samplesText()).toBe('');
  });

  it('does not write its text again while nothing changes', () => {
    const family = create();
    family.replaceAll([{ labels: { device: 'a' }, value: 1 }]);
    const before = family.samplesText();
    family.replaceAll([{ labels: { device: 'a' }, value: 1 }]);
    family.set({ device: 'gone' }, undefined);
    expect(family.samplesText()).toBe(before);
  });

  it('tells 0 from -0, which another family may show', () => {
    const family = create();
    family.set({ device: 'a' }, 0);
    family.samplesText();
    family.set({ device: 'a' }, -0);
    expect(family.samplesText()).toBe('disk_bytes{device="a"} 0\n');
  });

  it('shows, whatever came before, exactly the series of the last replacement', () => {
    const some = fc.array(
      fc.record({
        device: fc.constantFrom('a', 'b', '"', '\\"', '\n', 'n'),
        value: fc.option(fc.nat(9), { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(fc.array(some), some, (earlier, last) => {
        const family = create();
        const fresh = create();
        const toSeries = (of: typeof last) => of.map(({ device, value }) => ({ labels: { device }, value }));
        for (const series of earlier) {
          family.replaceAll(toSeries(series));
          family.samplesText();
        }
        family.replaceAll(toSeries(last));
        fresh.replaceAll(toSeries(last));
        expect(family.samplesText().split('\n').sort()).toEqual(fresh.samplesText().split('\n').sort());
      }),
    );
  });

  it('counts on from what is there', () => {
    const family = create();
    family.add({ device: 'a' }, 2);
    family.add({ device: 'a' }, 3);
    expect(family.samplesText()).toBe('disk_bytes{device="a"} 5\n');
  });

  it('takes away what matches, and all that there is', () => {
    const family = create();
    family.set({ device: 'a' }, 1);
    family.set({ device: 'b' }, 2);
    family.removeWhere(({ device }) => device === 'a');
    expect(family.samplesText()).toBe('disk_bytes{device="b"} 2\n');
    family.reset();
    expect(family.samplesText()).toBe('');
  });
});
