import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NestingTracks } from '../../../../src/trace/perfetto/nesting-tracks.ts';

describe('NestingTracks', () => {
  it.each([
    [
      'beside each other',
      [
        [0, 5],
        [5, 9],
      ],
      [0, 0],
    ],
    [
      'one inside the other',
      [
        [0, 9],
        [0, 9],
        [2, 4],
      ],
      [0, 0, 0],
    ],
    [
      'across an edge',
      [
        [0, 5],
        [3, 8],
        [4, 5],
      ],
      [0, 1, 0],
    ],
    [
      'without length, at the edges of another',
      [
        [0, 5],
        [0, 0],
        [5, 5],
      ],
      [0, 0, 0],
    ],
  ])('keeps slices %s apart only where they must be', (_, slices, tracks) => {
    const dealt = new NestingTracks();
    expect(slices.map(([start = 0, end = 0]) => dealt.place(start, end))).toEqual(tracks);
  });

  it('leaves no two slices of one track crossing', () => {
    const slice = fc.tuple(fc.nat(50), fc.nat(20));
    fc.assert(
      fc.property(fc.array(slice, { maxLength: 40 }), (drawn) => {
        const slices = drawn
          .map(([start, duration]) => ({ start, end: start + duration }))
          .sort((a, b) => a.start - b.start || b.end - a.end);
        const tracks = new NestingTracks();
        const placed = slices.map((of) => ({ ...of, track: tracks.place(of.start, of.end) }));
        for (const [place, a] of placed.entries()) {
          for (const b of placed.slice(place + 1).filter(({ track }) => track === a.track)) {
            expect(b.start >= a.end || b.end <= a.end).toBe(true);
          }
        }
      }),
    );
  });
});
