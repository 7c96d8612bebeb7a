import { describe, expect, it } from 'vitest';
import { renderWatch } from '../../../../src/cli/remote/watch-report.ts';
import type { Watch } from '../../../../src/client/client.ts';

const of = {
  ...{ kind: 'latency', variant: 'int8', suite: 'profile', measurement: 'offline', device: 'cpu' },
  host: 'a processor',
} as const;
const since = '2026-01-01T10:20:30.000Z';
const latency = {
  ...{ baselineRuns: 12, expectedSeconds: 0.005, limitSeconds: 0.00525, lastSeconds: 0.006 },
  ...{ changeRatio: 1.2, acknowledgedSeconds: null },
};
const series = (more: object) =>
  ({ ...of, state: 'regressed', since, latency, ...more }) as Watch['series'][number];
const linesOf = (text: string) => text.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());

describe('renderWatch', () => {
  it('has a line for each thing that is watched, with what was expected and what came', () => {
    const learning = {
      ...latency,
      baselineRuns: 4,
      expectedSeconds: null,
      limitSeconds: null,
      changeRatio: null,
    };
    const accuracy = { baselineRun: 'R1', baseline: 0.9, last: 0.85, lossToBaseline: 0.05, lossToFp32: null };
    const text = renderWatch({
      series: [
        series({}),
        series({ variant: 'fp32', state: 'learning', latency: learning }),
        series({ kind: 'accuracy', latency: undefined, accuracy }),
      ],
      events: [],
    });
    expect(linesOf(text)).toEqual([
      'watched variant state since expected limit last change',
      'profile/offline int8 regressed 2026-01-01 10:20 5.00 ms 5.25 ms 6.00 ms +20.0 %',
      'profile/offline fp32 learning, 4 valid runs 2026-01-01 10:20 – – 6.00 ms –',
      'accuracy int8 regressed 2026-01-01 10:20 0.9000 – 0.8500 −0.0500',
    ]);
  });

  it('names hosts where there are several', () => {
    const text = renderWatch({ series: [series({}), series({ host: 'another' })], events: [] });
    expect(linesOf(text).map((line) => line.split(' profile/')[0])).toEqual([
      expect.stringMatching(/^host watched/),
      'a processor',
      'another',
    ]);
  });

  it('tells what happened, with what differs', () => {
    const event = {
      ...{ kind: 'state', run: 'R9', at: since, from: 'steady', to: 'suspected', of },
      ...{ reason: 'the median is 6 ms', causes: [{ kind: 'model', words: 'another file' }] },
    };
    const text = renderWatch({ series: [series({})], events: [event] as unknown as Watch['events'] });
    expect(text.split('\n').slice(-3)).toEqual([
      '2026-01-01 10:20:30  profile/offline of int8 is suspected, was steady, run R9',
      '  the median is 6 ms',
      '  what differs: another file',
    ]);
  });

  it('says where nothing is known yet', () =>
    expect(renderWatch({ series: [], events: [] })).toBe('no run has told anything yet'));
});
