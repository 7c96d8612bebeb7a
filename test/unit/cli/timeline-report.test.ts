import { describe, expect, it } from 'vitest';
import { renderTimeline, renderTimelines } from '../../../src/cli/timeline-report.ts';
import type { TimelineSummary } from '../../../src/jobs/summarize-timeline-file.ts';

const base = { seconds: 2, samples: 20, coverageRatio: 1, longestGapSeconds: 0.1 } as const;

const summary: TimelineSummary = {
  run: 'r1',
  model: 'digits',
  file: '/data/timeline.ptqt',
  sizeBytes: 2048,
  seconds: 75,
  snapshots: 750,
  droppedSnapshots: 0,
  complete: true,
  truncated: false,
  phases: [
    {
      ...base,
      phase: 'calibrate',
      subject: 'int8',
      cpu: { busyRatio: 0.5, stealRatio: 0 },
      processes: {
        rssMeanBytes: 2 ** 20,
        rssPeakBytes: 2 ** 21,
        cpuSeconds: 1,
        io: { readBytes: 0, writtenBytes: 4096 },
      },
    },
    {
      ...base,
      phase: 'bench',
      unfinished: true,
      rapl: { joules: 1234.5, meanWatts: 9 },
      gpus: [0, 1].map((index) => ({
        uuid: `GPU-${index}`,
        index,
        name: 'A100',
        utilizationMeanRatio: 0.25,
        processMemoryPeakBytes: 2 ** 30,
        temperatureMaxCelsius: 60 + index,
        throttledBy: index === 0 ? ['sw_thermal'] : [],
        throttledSeconds: 0,
      })),
    },
  ],
};

describe('renderTimeline', () => {
  it('has a row for each phase and only the columns that some phase has', () => {
    expect(renderTimeline(summary).split('\n')).toEqual(
      [
        'digits, r1: 1 min 15 s, 750 snapshots in 2.00 KiB',
        '',
        'phase             time  CPU busy  workers peak      mean  read   written  GPU busy          VRAM ours           CPU energy  hottest  throttled',
        'calibrate int8  2.00 s   50.00 %      2.00 MiB  1.00 MiB   0 B  4.00 KiB  –                 –                            –        –  –',
        'bench           2.00 s+        –             –         –     –         –  25.00 %, 25.00 %  1.00 GiB, 1.00 GiB     1.23 kJ    61 °C  sw_thermal',
      ].map((line) =>
        expect.stringMatching(
          new RegExp(`^${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ +/g, ' +')}$`),
        ),
      ),
    );
  });

  it('says what is not whole', () => {
    const text = renderTimeline({
      ...summary,
      complete: false,
      truncated: true,
      droppedSnapshots: 3,
      phases: [],
    });
    expect(text).toMatch(/3 snapshots were left out/);
    expect(text).toMatch(/its end is torn/);
    expect(text).toMatch(/no phase was recorded/);
    expect(renderTimeline({ ...summary, complete: false })).toMatch(/still being written/);
  });
});

describe('renderTimelines', () => {
  it('says where it found none', () => {
    expect(renderTimelines('data', [])).toMatch(/data has no run with a timeline/);
  });
});
