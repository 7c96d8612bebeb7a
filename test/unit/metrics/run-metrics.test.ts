import { describe, expect, it } from 'vitest';
import { create, series } from './full-metrics.ts';

const RUN = { model: 'digits', durationSeconds: 10, finishedWallMs: 1_790_000_000_000 } as const;

describe('the last run', () => {
  it('is that of each model, and keeps the phases that a later run did not go through', async () => {
    const metrics = create();
    metrics.recordRun({
      ...RUN,
      phases: [
        { phase: 'quantize', subject: 'int8', seconds: 1, writtenBytes: 5 },
        { phase: 'bench', subject: 'single-stream', seconds: 2, writtenBytes: 6 },
      ],
    });
    metrics.recordRun({ ...RUN, model: 'other', phases: [] });
    metrics.recordRun({
      ...RUN,
      durationSeconds: 3,
      phases: [{ phase: 'bench', subject: 'single-stream', seconds: 2.5 }],
    });
    expect(await series(metrics, /^ptq_run/)).toEqual([
      'ptq_run_duration_seconds{model="digits"} 3',
      'ptq_run_duration_seconds{model="other"} 10',
      'ptq_run_last_success_timestamp_seconds{model="digits"} 1790000000',
      'ptq_run_last_success_timestamp_seconds{model="other"} 1790000000',
      'ptq_run_phase_seconds{model="digits",phase="quantize",subject="int8"} 1',
      'ptq_run_phase_seconds{model="digits",phase="bench",subject="single-stream"} 2.5',
      'ptq_run_written_bytes{model="digits",phase="quantize",subject="int8"} 5',
    ]);
  });
});
