import { describe, expect, it } from 'vitest';
import type { Peaks } from '../../../../src/trace/roofline/peaks.ts';
import { rooflinesOfParts } from '../../../../src/trace/roofline/rooflines-of-parts.ts';
import type { TracedPart } from '../../../../src/trace/trace-input.ts';
import { modelRun, nodeEvent, partOf } from '../../../support/profile-events.ts';
import { partEvents } from '../../../support/trace-events.ts';

const PEAKS: Peaks = {
  device: 'cpu',
  threads: 1,
  operationsPerSecond: { float32: 1e6, float16: null, int8: null },
  levels: [{ name: 'memory', capacityBytes: null, bytesPerSecond: 100e6 }],
};

/** A session that ran a product of 48 FLOP in 96 µs, twice; the first run warms up. */
function session(modelId: string, change: Partial<TracedPart> = {}): TracedPart {
  const shapes = {
    input_type_shape: [{ float: [2, 3] }, { float: [3, 4] }],
    output_type_shape: [{ float: [2, 4] }],
  };
  const events = [0, 200].flatMap((start) => [
    nodeEvent('m', 'MatMul', [start, 96], shapes),
    modelRun([start, 100]),
  ]);
  return {
    part: partOf(
      [
        [0, 100],
        [200, 100],
      ],
      { modelId, firstRequest: 1 },
    ),
    events: partEvents(events),
    peaksOf: () => PEAKS,
    ...change,
  };
}

describe('rooflinesOfParts', () => {
  it('takes the sessions of a model together, in the order in which models come, without runs that warm up', () => {
    const rooflines = rooflinesOfParts([session('b'), session('a'), session('b')]);
    expect(rooflines.map(({ modelId, roofline }) => [modelId, roofline.runs])).toEqual([
      ['b', 2],
      ['a', 1],
    ]);
    for (const { roofline } of rooflines) {
      expect(roofline.operators).toMatchObject([{ op: 'MatMul', callsPerRun: 1, bound: 'compute' }]);
      expect(roofline.operators[0]?.roofRatio).toBeCloseTo(0.5, 9);
      expect(roofline.model.secondsPerRun).toBeCloseTo(100e-6, 12);
    }
  });

  it('leaves out what has no profile, no peaks, or no run that counts', () => {
    const { peaksOf: _peaks, ...withoutPeaks } = session('no peaks');
    const { events: _events, ...withoutProfile } = session('no profile');
    const warmUpAlone = session('warm-up', {
      part: partOf([[0, 100]], { modelId: 'warm-up', firstRequest: 2 }),
    });
    expect(rooflinesOfParts([withoutPeaks, withoutProfile, warmUpAlone])).toEqual([]);
  });
});
