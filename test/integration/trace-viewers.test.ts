import { describe, expect, it } from 'vitest';
import { publishTrace } from '../../src/trace/publish.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { SAMPLE, sampleTrace } from '../support/sample-trace.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTracePython, readTrace, TRACE_VIEWERS } from '../support/trace-viewers.ts';
import { unwrap } from '../support/unwrap.ts';

// Opens traces with the programs that people open them with: what they find must be what was put in.

const found = findTracePython();
/** Of the steps in a trace, those that a viewer takes for whole: xprof leaves out the first and the last. */
const STEPS_LEFT_OUT = { tensorflow: 0, xprof: 2 } as const;
const steps = SAMPLE.models.length * SAMPLE.stepsPerModel;

async function published(trace: Trace): Promise<string> {
  const logdir = temporaryFolder();
  return unwrap(await publishTrace(trace, { logdir, startedAt: new Date() })).xspaceFile;
}

describe.each(TRACE_VIEWERS)('a trace in the tools of %s', { timeout: 180_000 }, (viewer) => {
  if ('reason' in found) {
    it(`is not tested: ${found.reason}`, (context) => {
      context.skip(found.reason);
    });
    return;
  }
  const { python } = found;

  it('is found with its steps, requests, operators, kernels, memory and meters', async () => {
    const warnings = ['the profile was cut off'];
    const seen = await readTrace(python, viewer, await published({ ...sampleTrace(), warnings }));

    if (viewer === 'tensorflow') {
      expect(seen).toMatchObject({ hostnames: ['node-7:rack/ü'], warnings, errors: [] });
    }
    expect(seen.tool_names).toEqual(
      expect.arrayContaining([
        'trace_viewer@',
        'overview_page',
        'framework_op_stats',
        'memory_profile',
        'kernel_stats',
      ]),
    );
    expect(seen.overview_page).toBeGreaterThan(0);
    expect(seen.inference_profile).toEqual(
      Object.fromEntries(SAMPLE.models.map((model) => [model, SAMPLE.stepsPerModel])),
    );
    expect(seen.framework_op_stats.Host).toMatchObject({
      'features/conv_0/Conv': { type: 'Conv', occurrences: steps, totalUs: (steps * SAMPLE.convNs) / 1000 },
      'features/relu_0/Relu': { type: 'Relu', occurrences: steps, totalUs: (steps * SAMPLE.reluNs) / 1000 },
    });
    const kernelUs = (steps * SAMPLE.kernelNs) / 1000;
    expect(seen.framework_op_stats.Device).toEqual({
      'features/conv_0/Conv': { type: 'Conv', occurrences: steps, totalUs: kernelUs },
    });
    expect(seen.kernel_stats).toEqual([
      {
        name: 'void conv_kernel<float>(float const*, "x")',
        op: 'features/conv_0/Conv',
        occurrences: steps,
        totalUs: kernelUs,
      },
    ]);
    const course = seen.memory_profile['CPU'] ?? [];
    expect(course.map(([, bytes]) => bytes)).toEqual(
      Array.from({ length: steps }, () => SAMPLE.inUseBytes).flat(),
    );
    const timeline = seen['trace_viewer@'];
    expect(timeline.counters).toEqual({
      'GPU 0 power, W': SAMPLE.watts,
      'NVMe nvme0n1 read, B/s': [2 ** 40],
    });
    // On the threads, and on the line that the viewers add to a GPU.
    expect(timeline.steps['infer']).toBe(2 * steps);
    expect(timeline.threads).toEqual(
      expect.arrayContaining([
        'node-7_rack__ /host:CPU | bench net:fp32, Läufer 0',
        'node-7_rack__ /device:GPU:0 | Stream #7(Compute)',
      ]),
    );
  });

  it('is found on a host without a GPU, with one step a query', async () => {
    const trace = sampleTrace();
    const planes = trace.planes.filter(({ name }) => !name.startsWith('/device:GPU'));
    const seen = await readTrace(python, viewer, await published({ ...trace, planes }));
    expect(seen.input_pipeline_analyzer).toBe(steps - STEPS_LEFT_OUT[viewer]);
    expect(seen.tool_names).not.toContain('kernel_stats');
    expect(seen.framework_op_stats.Device).toEqual({});
  });

  it('is found where it says so, hours after the start of the recording', async () => {
    const trace = sampleTrace();
    const laterNs = 26 * 3600 * 1e9;
    const planes = trace.planes.map((plane) => ({
      ...plane,
      lines: plane.lines.map((line) => ({
        ...line,
        events: { ...line.events, startsNs: line.events.startsNs.map((startNs) => startNs + laterNs) },
      })),
    }));
    const seen = await readTrace(
      python,
      viewer,
      await published({ ...trace, planes, durationNs: laterNs + trace.durationNs }),
    );
    expect(seen.memory_profile['CPU']?.[0]).toEqual([laterNs / 1000 + 120, SAMPLE.inUseBytes[0]]);
    expect(seen.framework_op_stats.Host['features/conv_0/Conv']?.totalUs).toBe(
      (steps * SAMPLE.convNs) / 1000,
    );
  });
});
