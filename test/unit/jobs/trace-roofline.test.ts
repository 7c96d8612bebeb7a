import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostPeaks } from '../../../src/jobs/host-peaks.ts';
import { makeTrace } from '../../../src/jobs/make-trace.ts';
import { peaksOfParts } from '../../../src/jobs/peaks-of-parts.ts';
import { writeTracePart } from '../../../src/jobs/trace-spool.ts';
import { openTracedSession } from '../../../src/jobs/traced-session.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import type { Peaks } from '../../../src/trace/roofline/peaks.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { partOf } from '../../support/profile-events.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const peaksFor = (threads: number): Peaks => ({
  device: 'cpu',
  threads,
  operationsPerSecond: { float32: 1e9, float16: null, int8: null },
  levels: [{ name: 'memory', capacityBytes: null, bytesPerSecond: 1e9 }],
});

/** A spool folder in which a session of one thread left two requests of one operator. */
async function tracedSpool(): Promise<string> {
  const folder = temporaryFolder();
  const path = join(temporaryFolder(), 'tanh.onnx');
  const inputs = [value('x', 'float', [100])];
  const outputs = [value('y', 'float', [100])];
  unwrap(writeModel(model(graph({ inputs, nodes: [node('Tanh', ['x'], ['y'])], outputs })), path));
  const trace = {
    folder,
    runs: 2,
    modelId: 'tanh:fp32',
    modelPath: path,
    phase: 'evaluate',
    thread: 'lane 1',
  } as const;
  const session = unwrap(await openTracedSession(path, { intraOpThreads: 1 }, trace));
  const feeds = { x: { type: 'float32', dims: [100], data: new Float32Array(100) } } as const;
  for (let runs = 0; runs < 2; runs++) await session.run(feeds);
  await session.close();
  return folder;
}

async function publish(peaks: readonly Peaks[]) {
  const logdir = temporaryFolder();
  const folder = await tracedSpool();
  const output = { kind: 'publish', logdir, startedMs: 0 } as const;
  return { logdir, report: await makeTrace({ kind: 'trace', folder, peaks, warnings: [], output }) };
}

describe('a trace of a host whose peaks are known', () => {
  it('has the rooflines of its models beside the file for Perfetto, where no viewer takes them for a trace', async () => {
    const { logdir, report } = await publish([peaksFor(1)]);
    const path = join(logdir, 'perfetto', report.run ?? '', 'roofline.json');
    expect(report.rooflinePath).toBe(path);
    const { peaks, models } = JSON.parse(readFileSync(path, 'utf8'));
    expect(peaks).toEqual([peaksFor(1)]);
    expect(models).toMatchObject([
      {
        modelId: 'tanh:fp32',
        roofline: {
          runs: 2,
          operators: [{ op: 'Tanh', callsPerRun: 1, flopsPerRun: 100, bytesPerRun: 800 }],
        },
      },
    ]);
    expect(models[0].roofline.operators[0].roofSecondsPerRun).toBeCloseTo(800e-9, 15);
    const inProfile = readdirSync(join(logdir, 'plugins'), { recursive: true }).map(String);
    expect(inProfile.some((name) => name.includes('roofline'))).toBe(false);
  });

  it.each([
    ['no peaks', []],
    ['peaks of other numbers of threads alone', [peaksFor(2)]],
  ])('has none with %s', async (_, peaks) => {
    const { logdir, report } = await publish(peaks);
    expect(report.rooflinePath).toBeUndefined();
    expect(existsSync(join(logdir, 'perfetto', report.run ?? '', 'roofline.json'))).toBe(false);
  });
});

describe('peaksOfParts', () => {
  it('finds what is kept of the devices and threads of traced sessions, and measures nothing', async () => {
    const spool = temporaryFolder();
    const folder = temporaryFolder();
    const host = fakeWorker();
    const keep = async (threads: number) =>
      hostPeaks({ device: 'cpu', threads, folder }, { host, clock: { wallMs: () => 0 } });
    for (const threads of [1, 2]) await keep(threads);
    const asked = host.requests().length;
    unwrap(writeTracePart(spool, 'a', partOf([[0, 1]], { threads: 2 })));
    unwrap(writeTracePart(spool, 'b', partOf([[0, 1]], { threads: 2 })));
    unwrap(writeTracePart(spool, 'c', partOf([[0, 1]], { threads: 3 })));
    unwrap(writeTracePart(spool, 'd', partOf([[0, 1]])));
    expect((await peaksOfParts(spool, folder, host)).map(({ device, threads }) => [device, threads])).toEqual(
      [['cpu', 2]],
    );
    expect(host.requests()).toHaveLength(asked);
  });
});
