import { describe, expect, it } from 'vitest';
import type { PhaseSpan } from '../../../../src/core/phase.ts';
import { type PhaseSummary, summarizePhases } from '../../../../src/telemetry/summary/phase-summary.ts';
import { cpuOf, diskOf, memoryOf, ns, processOf, snapshotAt } from '../snapshots.ts';

function spanOf(
  startSeconds: number,
  endSeconds: number,
  phase: PhaseSpan['phase'] = 'calibrate',
): PhaseSpan {
  return { phase, startNs: ns(startSeconds), endNs: ns(endSeconds) };
}

function summaryOf(snapshots: Parameters<typeof summarizePhases>[0], span: PhaseSpan): PhaseSummary {
  const [summary] = summarizePhases(snapshots, [span]);
  if (summary === undefined) throw new Error('expected one summary');
  return summary;
}

describe('summarizePhases', () => {
  it('gives each span its own numbers and keeps its subject', () => {
    const snapshots = [0, 1, 2, 3].map((t) => snapshotAt(t, { disks: [diskOf(t < 2 ? 0 : 100)] }));
    const summaries = summarizePhases(snapshots, [
      spanOf(0, 1, 'load'),
      { ...spanOf(1, 3, 'evaluate'), subject: 'static-int8' },
    ]);
    expect(summaries).toMatchObject([
      { phase: 'load', seconds: 1, disks: { readBytes: 0 } },
      { phase: 'evaluate', subject: 'static-int8', seconds: 2, disks: { readBytes: 100 } },
    ]);
    expect(summaries[0]).not.toHaveProperty('subject');
  });

  it('counts as busy neither idle time, nor waiting for I/O, nor time stolen', () => {
    const snapshots = [
      snapshotAt(0, { cpu: cpuOf(0, 0, 0, 0) }),
      snapshotAt(1, { cpu: cpuOf(1.2, 0.4, 0.2, 0.2) }),
    ];
    const { cpu } = summaryOf(snapshots, spanOf(0, 1));
    expect(cpu?.busyRatio).toBeCloseTo(0.6);
    expect(cpu?.stealRatio).toBeCloseTo(0.1);
  });

  it('takes an iowait that the kernel corrected downwards as no growth', () => {
    const snapshots = [
      snapshotAt(0, { cpu: cpuOf(0, 0, 0, 500) }),
      snapshotAt(1, { cpu: cpuOf(1, 1, 0, 499.9) }),
    ];
    expect(summaryOf(snapshots, spanOf(0, 1)).cpu?.busyRatio).toBeCloseTo(0.5);
  });

  it('reports the least memory that was available and the stall time of each resource', () => {
    const stall = (seconds: number) => ({ someSeconds: seconds, fullSeconds: seconds / 2 });
    const snapshots = [5, 3, 4].map((available, t) =>
      snapshotAt(t, {
        memory: memoryOf(available),
        pressure: { cpu: stall(t), io: stall(2 * t), memory: stall(0) },
      }),
    );
    expect(summaryOf(snapshots, spanOf(0, 2))).toMatchObject({
      memory: { availableMinBytes: 3 },
      pressure: {
        cpu: { someSeconds: 2, fullSeconds: 1 },
        io: { someSeconds: 4, fullSeconds: 2 },
        memory: { someSeconds: 0, fullSeconds: 0 },
      },
    });
  });

  it('derives bandwidth and mean queue depth over all disks', () => {
    const snapshots = [0, 2].map((t) =>
      snapshotAt(t, {
        disks: [
          diskOf(t * 50, { weightedIoTimeSeconds: t * 3, writtenBytes: t * 10 }),
          diskOf(t * 150, { device: 'sda' }),
        ],
      }),
    );
    expect(summaryOf(snapshots, spanOf(0, 2)).disks).toEqual({
      readBytes: 400,
      writtenBytes: 20,
      readBytesPerSecond: 200,
      writtenBytesPerSecond: 10,
      meanQueueDepth: 3,
    });
  });
});

describe('a phase shorter than the sampling interval', () => {
  const snapshots = [0, 1].map((t) =>
    snapshotAt(t, {
      memory: memoryOf(1000 + 100 * t),
      disks: [diskOf(t * 1000)],
      processes: [processOf(100 + 100 * t)],
    }),
  );

  it('is interpolated between its two neighbours and says that it holds no sample', () => {
    const summary = summaryOf(snapshots, spanOf(0.4, 0.6));
    expect(summary).toMatchObject({
      samples: 0,
      coverageRatio: 1,
      longestGapSeconds: 1,
      memory: { availableMinBytes: 1040 },
      processes: { rssMeanBytes: 150, rssPeakBytes: 160 },
      disks: { readBytes: 200 },
    });
    expect(summary.disks?.readBytesPerSecond).toBeCloseTo(1000);
  });

  it('of no length at all has no rates', () => {
    const summary = summaryOf(snapshots, spanOf(0.5, 0.5));
    expect(summary).toMatchObject({ seconds: 0, samples: 0, coverageRatio: 0 });
    expect(summary).not.toHaveProperty('disks');
  });
});

describe('a phase that sampling did not cover', () => {
  const snapshots = [1, 2].map((t) => snapshotAt(t, { disks: [diskOf(t * 100)], memory: memoryOf(7) }));

  it('has rates over the covered part and says how much that is', () => {
    expect(summaryOf(snapshots, spanOf(0, 4))).toMatchObject({
      samples: 2,
      coverageRatio: 0.25,
      disks: { readBytes: 100, readBytesPerSecond: 100 },
    });
  });

  it('has no numbers where there is no sample near it', () => {
    for (const span of [spanOf(0, 0.5), spanOf(3, 4)]) {
      const summary = summaryOf(snapshots, span);
      expect(summary).toMatchObject({ samples: 0, coverageRatio: 0 });
      expect(summary).not.toHaveProperty('disks');
      expect(summary).not.toHaveProperty('memory');
    }
    expect(summarizePhases([], [spanOf(0, 1)])).toMatchObject([{ samples: 0, coverageRatio: 0 }]);
  });

  it('bridges a collector that failed for a while, and shows the gap of a replaced sampler', () => {
    const withHole = [
      snapshotAt(0, { disks: [diskOf(0)] }),
      snapshotAt(1),
      snapshotAt(4, { disks: [diskOf(400)] }),
    ];
    expect(summaryOf(withHole, spanOf(0, 2))).toMatchObject({
      samples: 2,
      longestGapSeconds: 3,
      disks: { readBytes: 200 },
    });
  });
});

describe('disks that come and go', () => {
  it('count from zero after a reset, and only from their second sample when new', () => {
    const snapshots = [
      snapshotAt(0, { disks: [diskOf(5000)] }),
      snapshotAt(1, { disks: [diskOf(30), diskOf(900, { device: 'sdb' })] }),
      snapshotAt(2, { disks: [diskOf(40), diskOf(905, { device: 'sdb' })] }),
    ];
    expect(summaryOf(snapshots, spanOf(0, 2)).disks?.readBytes).toBe(30 + 10 + 5);
  });
});

describe('watched processes', () => {
  it('are summed, over as many as there are', () => {
    const snapshots = [0, 1].map((t) =>
      snapshotAt(t, {
        processes: [
          processOf(100, { cpuSeconds: t, io: { readBytes: 10 * t, writtenBytes: t } }),
          processOf(50, { pid: 11, cpuSeconds: 2 * t }),
        ],
      }),
    );
    expect(summaryOf(snapshots, spanOf(0, 1)).processes).toEqual({
      rssMeanBytes: 150,
      rssPeakBytes: 150,
      cpuSeconds: 3,
      io: { readBytes: 10, writtenBytes: 1 },
    });
  });

  it('show a peak between two samples through the high-water mark that rose', () => {
    const snapshots = [
      snapshotAt(0, { processes: [processOf(100, { peakRssBytes: 800 })] }),
      snapshotAt(1, { processes: [processOf(120, { peakRssBytes: 900 })] }),
      snapshotAt(2, { processes: [processOf(130, { peakRssBytes: 900 })] }),
    ];
    expect(summaryOf(snapshots, spanOf(0.5, 1)).processes?.rssPeakBytes).toBe(900);
    // The mark stands since the phase before, so it says nothing about this one.
    expect(summaryOf(snapshots, spanOf(1.5, 2)).processes?.rssPeakBytes).toBe(130);
  });

  it('count from their birth when they were born between two samples, else from the first sight', () => {
    const io = { readBytes: 500, writtenBytes: 0 };
    const seenFirst = (ageSeconds: number) =>
      summaryOf(
        [snapshotAt(0, { processes: [] }), snapshotAt(1, { processes: [processOf(9, { ageSeconds, io })] })],
        spanOf(0, 1),
      ).processes?.io?.readBytes;
    expect(seenFirst(0.4)).toBe(500);
    expect(seenFirst(300)).toBe(0);
  });

  it('are not confused with another process that was given the same pid', () => {
    const snapshots = [
      snapshotAt(0, { processes: [processOf(1, { cpuSeconds: 50 })] }),
      snapshotAt(1, { processes: [processOf(1, { startSeconds: 77, ageSeconds: 0.5, cpuSeconds: 0.25 })] }),
    ];
    expect(summaryOf(snapshots, spanOf(0, 1)).processes?.cpuSeconds).toBe(0.25);
  });

  it('have the figures of the one that did the phase from itself, and those of the others from samples', () => {
    const at = (t: number) =>
      snapshotAt(t, {
        processes: [
          processOf(100, {
            io: { readBytes: 1000 * t, writtenBytes: 0 },
            cpuSeconds: t,
            peakRssBytes: 100 + t,
          }),
          processOf(5, { pid: 11, io: { readBytes: 10 * t, writtenBytes: t }, cpuSeconds: t / 10 }),
        ],
      });
    const usage = { pid: 10, cpuSeconds: 7, peakRssBytes: 555, io: { readBytes: 70, writtenBytes: 30 } };
    expect(summaryOf([0, 1, 2].map(at), { ...spanOf(0, 2), usage }).processes).toEqual({
      rssMeanBytes: 105,
      rssPeakBytes: 555,
      cpuSeconds: expect.closeTo(7.2),
      io: { readBytes: 70 + 20, writtenBytes: 30 + 2 },
    });
  });

  it('have the peak of their samples where the one that did the phase says that its own was earlier', () => {
    const snapshots = [
      snapshotAt(0, { processes: [processOf(100, { peakRssBytes: 100 })] }),
      snapshotAt(1, { processes: [processOf(120, { peakRssBytes: 900 })] }),
    ];
    const usage = { pid: 10, cpuSeconds: 1 };
    // The mark rose between the samples, but before the phase began.
    const { processes } = summaryOf(snapshots, { ...spanOf(0.5, 1), usage });
    expect(processes).toMatchObject({ rssPeakBytes: 120, cpuSeconds: 1 });
    expect(processes).not.toHaveProperty('io');
  });

  it('have no summary when none was watched', () => {
    const snapshots = [0, 1].map((t) => snapshotAt(t, { processes: [] }));
    expect(summaryOf(snapshots, spanOf(0, 1))).not.toHaveProperty('processes');
  });
});
