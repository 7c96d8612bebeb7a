import { readdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Profile } from '../../../../src/config/profile.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { silentLogger } from '../../../../src/core/log.ts';
import { problem } from '../../../../src/core/problem.ts';
import { err, ok } from '../../../../src/core/result.ts';
import { acquireBenchLock } from '../../../../src/jobs/bench-lock.ts';
import type { AssembleTrace, GatheredTrace } from '../../../../src/jobs/capture/assemble-trace.ts';
import { LiveWork } from '../../../../src/jobs/capture/live-work.ts';
import { TraceCapture } from '../../../../src/jobs/capture/trace-capture.ts';
import type { Run } from '../../../../src/store/runs.ts';
import { fakeSampler } from '../../../support/fake-sampler.ts';
import { fakeSystem } from '../../../support/fake-system.ts';
import { fakeWorker } from '../../../support/fake-worker.ts';
import { pipelineResultOf } from '../../../support/pipeline-result.ts';
import { profileOf } from '../../../support/profile.ts';
import { readWholeTimeline } from '../../../support/read-whole-timeline.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { snapshotAt } from '../../telemetry/snapshots.ts';

const never = new AbortController().signal;
const short = { durationMs: 40, sessionId: 'one' };

interface Given {
  readonly profiles?: readonly Profile[];
  readonly runs?: readonly Partial<Run>[];
  readonly assemble?: AssembleTrace;
  /** Whether somebody samples the host. */
  readonly isSampled?: boolean;
}

async function capturing({ profiles = [], runs = [], assemble, isSampled = true }: Given = {}) {
  const temporary = join(temporaryFolder(), 'tmp');
  await mkdir(temporary);
  const live = new LiveWork();
  const fake = fakeSampler();
  // Nobody waits for samples of a sampler that is not up.
  fake.setState('starting');
  const sampling = setInterval(() => {
    if (isSampled) fake.publish(snapshotAt(Number(systemClock.nowNs()) / 1e9));
  }, 10);
  onTestFinished(() => clearInterval(sampling));
  const worker = fakeWorker();
  const gathered: GatheredTrace[] = [];
  const phases: string[] = [];
  const counted: string[] = [];
  const processes = { started: 0, ended: 0 };
  const capture = new TraceCapture({
    models: { all: profiles },
    store: { listRuns: () => runs as readonly Run[], temporaryFolder: temporary },
    live,
    sampler: fake.sampler,
    samplerIdleIntervalMs: () => 250,
    metrics: {
      countCapture: (outcome) => void counted.push(outcome),
      workerStarted: () => {
        processes.started += 1;
      },
      workerEnded: () => {
        processes.ended += 1;
      },
    },
    workerEntry: worker.entry,
    clock: systemClock,
    logger: silentLogger,
    assemble: async (what, host, signal) => {
      gathered.push(what);
      const { index } = await readWholeTimeline(what.timeline);
      phases.push(...index.phases.map(({ phase, subject }) => `${phase} ${subject}`));
      if (assemble !== undefined) return assemble(what, host, signal);
      const file = join(what.folder, 'trace.xplane.pb');
      writeFileSync(file, 'XSPACE');
      return ok({ file, sizeBytes: 6, eventCount: 3 });
    },
  });
  onTestFinished(() => capture.stop());
  return {
    capture,
    live,
    fake,
    worker,
    gathered,
    phases,
    counted,
    processes,
    // The folder of all captures stays.
    left: () => readdirSync(temporary).flatMap((name) => readdirSync(join(temporary, name))),
  };
}

describe('a capture of what runs', () => {
  it('gathers what systems trace, the phases and the telemetry of its time', async () => {
    const { capture, live, fake, gathered, phases, counted, left } = await capturing();
    live.runStarted({ id: 'run', model: 'tiny' });
    live.phaseBegan({ phase: 'bench', subject: 'quick', startNs: systemClock.nowNs() });
    const { system, told } = fakeSystem('int8');
    live.systemStarted(system);
    const before = systemClock.nowNs();
    const captured = unwrap(await capture.capture(short, never));
    expect(told).toEqual(['trace', 'end-trace']);
    const [what] = gathered;
    expect(what?.parts.map(({ modelId }) => modelId)).toEqual(['tiny:int8']);
    expect(what?.warnings).toEqual([]);
    const { fromNs = 0n, toNs = 0n } = what?.window ?? {};
    expect(fromNs).toBeGreaterThan(before);
    expect(Number(toNs - fromNs) / 1e6).toBeGreaterThanOrEqual(39);
    expect(phases).toEqual(['bench quick']);
    // The run decides how often the host is sampled.
    expect(fake.told.filter((told) => told.startsWith('interval'))).toEqual([]);
    expect(captured).toMatchObject({ sizeBytes: 6, isEmpty: false });
    expect(left()).toHaveLength(1);
    await captured.release();
    expect(left()).toEqual([]);
    expect(counted).toEqual(['succeeded']);
    expect(live.wasCaptured(before, systemClock.nowNs())).toBe(true);
    expect(live.wasCaptured(systemClock.nowNs(), systemClock.nowNs())).toBe(false);
  });

  it('says that operators are missing where what runs is no benchmark', async () => {
    const { capture, live, gathered } = await capturing({ profiles: [profileOf('tiny')] });
    live.runStarted({ id: 'run', model: 'tiny' });
    live.phaseBegan({ phase: 'evaluate', startNs: systemClock.nowNs() });
    await unwrap(await capture.capture(short, never)).release();
    expect(gathered[0]?.warnings).toEqual([
      expect.stringContaining('Operators are missing: what ran (evaluate)'),
    ]);
  });

  it('says that the host was not sampled', async () => {
    const { capture, live, gathered } = await capturing({ isSampled: false });
    live.runStarted({ id: 'run', model: 'tiny' });
    live.systemStarted(fakeSystem('int8').system);
    await unwrap(await capture.capture(short, never)).release();
    expect(gathered[0]?.warnings).toEqual(['Readings of the host are missing: it was not sampled meanwhile']);
  });

  it('ends early when it is terminated, and only by its own name', async () => {
    const { capture, live } = await capturing();
    live.runStarted({ id: 'run', model: 'tiny' });
    const captured = capture.capture({ durationMs: 60_000, sessionId: 'one' }, never);
    await delay(20);
    expect(capture.terminate('other')).toMatchObject({ ok: false, error: { kind: 'unknown-capture' } });
    expect(capture.terminate('one')).toMatchObject({ ok: true });
    await unwrap(await captured).release();
    expect(capture.terminate('one')).toMatchObject({ ok: false });
  });

  it('is one at a time, until what it gave is released', async () => {
    const { capture, live, counted } = await capturing();
    live.runStarted({ id: 'run', model: 'tiny' });
    const first = capture.capture(short, never);
    expect(await capture.capture(short, never)).toMatchObject({ error: { kind: 'capture-under-way' } });
    const captured = unwrap(await first);
    expect(await capture.capture(short, never)).toMatchObject({ error: { kind: 'capture-under-way' } });
    await captured.release();
    await unwrap(await capture.capture(short, never)).release();
    expect(counted).toEqual(['refused', 'succeeded', 'refused', 'succeeded']);
  });

  it('leaves nothing behind when nobody waits for it any more', async () => {
    const { capture, live, left, gathered, counted } = await capturing();
    live.runStarted({ id: 'run', model: 'tiny' });
    const { system, told } = fakeSystem('int8');
    live.systemStarted(system);
    const leave = new AbortController();
    const captured = capture.capture({ durationMs: 60_000, sessionId: 'one' }, leave.signal);
    await delay(20);
    leave.abort();
    expect(await captured).toMatchObject({ error: { kind: 'cancelled' } });
    expect(told).toEqual(['trace', 'end-trace']);
    expect(left()).toEqual([]);
    expect(gathered).toEqual([]);
    expect(counted).toEqual(['cancelled']);
    await unwrap(await capture.capture(short, never)).release();
  });

  it('can be cancelled before it begins', async () => {
    const { capture, left } = await capturing();
    const leave = new AbortController();
    const order = { ...short, startWallMs: systemClock.wallMs() + 30_000 };
    const captured = capture.capture(order, leave.signal);
    leave.abort();
    expect(await captured).toMatchObject({ error: { kind: 'cancelled' } });
    expect(left()).toEqual([]);
  });

  it('ends with the daemon, after which there is none', async () => {
    const { capture, live, left } = await capturing();
    live.runStarted({ id: 'run', model: 'tiny' });
    const captured = capture.capture({ durationMs: 60_000, sessionId: 'one' }, never);
    await delay(20);
    await capture.stop();
    expect(left()).toEqual([]);
    expect(await captured).toMatchObject({ error: { kind: 'cancelled' } });
    expect(await capture.capture(short, never)).toMatchObject({ error: { kind: 'daemon-stopping' } });
  });

  it('tells why no trace could be made, and leaves nothing of it', async () => {
    const { capture, left, counted } = await capturing({
      assemble: async () => err(problem('trace-not-written', 'the disk is full')),
    });
    expect(await capture.capture(short, never)).toMatchObject({ error: { kind: 'trace-not-written' } });
    expect(left()).toEqual([]);
    expect(counted).toEqual(['failed']);
  });

  it('is free again after a fault', async () => {
    const { capture, left } = await capturing({
      assemble: async () => {
        throw new Error('a bug');
      },
    });
    await expect(capture.capture(short, never)).rejects.toThrow('a bug');
    expect(left()).toEqual([]);
    await expect(capture.capture(short, never)).rejects.toThrow('a bug');
  });

  it('says that there was nothing to show', async () => {
    const { capture, counted } = await capturing({
      assemble: async ({ folder }) => ok({ file: join(folder, 'none'), sizeBytes: 0, eventCount: 0 }),
    });
    const captured = unwrap(await capture.capture(short, never));
    expect(captured.isEmpty).toBe(true);
    await captured.release();
    expect(counted).toEqual(['empty']);
  });
});

describe('a capture with nothing running', () => {
  it('replays the first model and the variants of its last run, one after another', async () => {
    const int8 = join(temporaryFolder(), 'int8.onnx');
    writeFileSync(int8, '');
    const result = pipelineResultOf();
    const variants = [{ ...result.variants[1], variant: 'int8', quantization: { output: int8 } }];
    const { capture, fake, worker, gathered, phases, processes, left } = await capturing({
      profiles: [profileOf('tiny'), profileOf('other')],
      runs: [{ result: { ...result, variants } }],
    });
    await unwrap(await capture.capture(short, never)).release();
    const requests = worker.requests();
    // Two processes are told at once, and either may be the first to note it.
    const told = [...requests.slice(0, 4), ...requests.slice(4, 6).sort(), ...requests.slice(6, 8)];
    expect([...told, ...requests.slice(8).sort()]).toEqual([
      'sut tiny.onnx',
      'warm-up tiny.onnx',
      'sut int8.onnx',
      'warm-up int8.onnx',
      'trace int8.onnx',
      'trace tiny.onnx',
      'round tiny.onnx',
      'round int8.onnx',
      'end-trace int8.onnx',
      'end-trace tiny.onnx',
    ]);
    expect(gathered[0]?.parts.map(({ modelId }) => modelId)).toEqual(['tiny:fp32', 'tiny:int8']);
    expect(gathered[0]?.warnings).toEqual([
      'Nothing was running: this is a replay, single-stream of tiny (fp32, int8)',
    ]);
    expect(phases).toEqual(['bench replay fp32', 'bench replay int8']);
    expect(processes).toEqual({ started: 2, ended: 2 });
    expect(fake.told.filter((told) => told.startsWith('interval'))).toEqual(['interval 100', 'interval 250']);
    expect(left()).toEqual([]);
  });

  it('shows the host alone where no model is registered, or none can be loaded', async () => {
    const nobody = await capturing();
    await unwrap(await nobody.capture.capture(short, never)).release();
    expect(nobody.gathered[0]?.parts).toEqual([]);
    expect(nobody.gathered[0]?.warnings).toEqual([
      'Nothing was running, and nothing could be replayed: no model is registered',
    ]);
    const broken = await capturing({ profiles: [profileOf('refuse')] });
    await unwrap(await broken.capture.capture(short, never)).release();
    expect(broken.gathered[0]?.warnings).toEqual([
      'Nothing was running, and nothing could be replayed: this is no model',
    ]);
    expect(broken.processes).toEqual({ started: 1, ended: 1 });
  });

  it('disturbs no benchmark of another process', async () => {
    const lock = unwrap(await acquireBenchLock('cpu', { waitMs: 0 }));
    const { capture, worker, gathered } = await capturing({ profiles: [profileOf('tiny')] });
    await unwrap(await capture.capture(short, never)).release();
    expect(worker.requests()).toEqual([]);
    expect(gathered[0]?.warnings).toEqual([expect.stringContaining('another benchmark is under way')]);
    lock.release();
  });

  it('gives the host back after a replay', async () => {
    const { capture } = await capturing({ profiles: [profileOf('tiny')] });
    await unwrap(await capture.capture(short, never)).release();
    const lock = unwrap(await acquireBenchLock('cpu', { waitMs: 0 }));
    lock.release();
  });

  it('ends the processes of a replay when nobody waits for it any more, also while it loads', async () => {
    const { capture, processes, left } = await capturing({ profiles: [profileOf('wait')] });
    const leave = new AbortController();
    const captured = capture.capture({ durationMs: 60_000, sessionId: 'one' }, leave.signal);
    await expect.poll(() => processes.started, { timeout: 5_000 }).toBe(1);
    leave.abort();
    expect(await captured).toMatchObject({ error: { kind: 'cancelled' } });
    expect(processes.ended).toBe(1);
    expect(left()).toEqual([]);
  });

  it('shows what there was of a replay whose model died', async () => {
    const { capture, gathered, processes } = await capturing({ profiles: [profileOf('dies-in-round')] });
    await unwrap(await capture.capture(short, never)).release();
    expect(gathered[0]?.warnings).toContainEqual(
      expect.stringContaining('The replay failed: the worker was ended'),
    );
    expect(processes).toEqual({ started: 1, ended: 1 });
  });

  it('replays what the profile says that is captured', async () => {
    const { bench } = profileOf('tiny');
    const suite = {
      name: 'night',
      measurements: [{ name: 'busy', scenario: 'offline', preset: 'quick' } as const],
      limits: {},
    };
    const chosen = profileOf('chosen', { bench: { ...bench, suites: [suite], capture: 'night' } });
    const { capture, worker, gathered } = await capturing({ profiles: [profileOf('tiny'), chosen] });
    await unwrap(await capture.capture(short, never)).release();
    expect(worker.requests()).toContain('round chosen.onnx');
    expect(gathered[0]?.warnings[0]).toContain('a replay, busy of chosen (fp32)');
  });

  it('tells a model that cannot be traced', async () => {
    const { capture, gathered } = await capturing({ profiles: [profileOf('untraceable')] });
    await unwrap(await capture.capture(short, never)).release();
    expect(gathered[0]?.warnings).toContain('What fp32 ran is not in the trace: it is traced already');
  });
});
