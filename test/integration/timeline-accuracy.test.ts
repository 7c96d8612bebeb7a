import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadProfile } from '../../src/config/load-profiles.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { type PipelineResult, runPipeline } from '../../src/jobs/pipeline.ts';
import { openStore } from '../../src/store/store.ts';
import { startSampler } from '../../src/telemetry/sampler.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import { readWholeTimeline } from '../support/read-whole-timeline.ts';
import { findRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { writeRealProfile } from '../support/real-profiles.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const dist = new URL('../../dist/', import.meta.url);
const recorder = new URL('../support/record-last-counters.mjs', import.meta.url);
const digits = fileURLToPath(new URL('../../profiles/digits/profile.yaml', import.meta.url));
const models = findRealModels();
const unmet = existsSync('/proc/self/io') ? undefined : 'needs the I/O counters of Linux';

interface KernelFigures {
  readonly pid: number;
  readonly peakRssBytes: number;
  readonly writtenBytes: number;
  /** How much was written by the end of each phase. */
  readonly writtenBytesAfter: readonly { readonly phase: string; readonly bytes: number }[];
}

/** Quantizes what a profile names, sampled at this pace at most, and gives what the timeline and what the kernel says of the process that did it. */
async function quantizeWatched(profileFile: string, intervalMs: number) {
  const folder = temporaryFolder();
  const counters = join(folder, 'counters');
  mkdirSync(counters);
  vi.stubEnv('NODE_OPTIONS', `--import=${recorder.href}`);
  vi.stubEnv('PTQ_TEST_COUNTERS', counters);
  onTestFinished(() => void vi.unstubAllEnvs());
  const loaded = await loadProfile(profileFile);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const profile = loaded.value;
  const store = unwrap(openStore(join(folder, 'data')));
  onTestFinished(() => store.close());
  const sampler = startSampler({ entry: new URL('telemetry/sampler-main.js', dist), intervalMs: 1000 });
  const setIntervalMs = sampler.setIntervalMs.bind(sampler);
  sampler.setIntervalMs = (asked) => setIntervalMs(Math.max(asked, intervalMs));
  onTestFinished(() => sampler.stop());
  const { id } = store.createRun({ kind: 'pipeline', model: profile.name, request: { kind: 'pipeline' } });
  const plan = { evaluate: false, suites: [], threads: profile.bench.threads };
  const result = unwrap(
    await runPipeline(id, profile, plan, {
      store,
      sampler,
      samplerIdleIntervalMs: () => 1000,
      traces: { logdir: `${store.runDirectory(id)}/traces` },
      workerEntry: new URL('jobs/worker-main.js', dist),
      clock: systemClock,
      logger: silentLogger,
    }),
  );
  const { snapshots } = await readWholeTimeline(result.timeline?.file ?? '');
  return { result, snapshots, kernel: kernelFigures(counters) };
}

function kernelFigures(folder: string): KernelFigures {
  const [name, ...others] = readdirSync(folder).filter((file) => file.startsWith('quantize-'));
  if (name === undefined || others.length > 0) throw new Error('expected the counters of one quantization');
  const { status, io, phases } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
    readonly status: string;
    readonly io: string;
    readonly phases: readonly { readonly phase: string; readonly io: string }[];
  };
  const writtenOf = (text: string) => Number(/^write_bytes: (\d+)$/m.exec(text)?.[1]);
  return {
    pid: Number(/-(\d+)\.json$/.exec(name)?.[1]),
    peakRssBytes: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024,
    writtenBytes: writtenOf(io),
    writtenBytesAfter: phases.map((end) => ({ phase: end.phase, bytes: writtenOf(end.io) })),
  };
}

/** Of the phases together. What the process wrote before the first of them, as it was loaded, is in none of them. */
function figuresOfPhases({ timeline }: PipelineResult) {
  const parts = timeline?.phases.flatMap(({ processes }) => processes ?? []) ?? [];
  return { peakRssBytes: Math.max(...parts.map(({ rssPeakBytes }) => rssPeakBytes)) };
}

/** Of the last sample of a process. */
function figuresOfSeries(snapshots: readonly Snapshot[], pid: number) {
  const last = snapshots
    .flatMap(({ processes }) => processes ?? [])
    .filter((process) => process.pid === pid)
    .at(-1);
  return { peakRssBytes: last?.peakRssBytes, writtenBytes: last?.io?.writtenBytes };
}

function expectWithinTwoPercent(figures: object, kernel: KernelFigures): void {
  for (const [name, figure] of Object.entries(figures)) {
    expectWithin(figure, Number(kernel[name as keyof KernelFigures]), name);
  }
}

function expectWithin(figure: number, expected: number, name: string): void {
  expect(expected, name).toBeGreaterThan(0);
  expect(Math.abs(figure / expected - 1), `${name}: ${figure} against ${expected}`).toBeLessThan(0.02);
}

/** Of each phase that wrote something, but for the first, as the process has written something before it too. */
function expectTruePhases({ timeline }: PipelineResult, { writtenBytesAfter }: KernelFigures): void {
  const written = writtenBytesAfter
    .map(({ phase, bytes }, index) => ({ phase, bytes: bytes - (writtenBytesAfter[index - 1]?.bytes ?? 0) }))
    .filter(({ bytes }, index) => index > 0 && bytes > 0);
  expect(written.map(({ phase }) => phase)).toContain('write');
  for (const { phase, bytes } of written) {
    const summary = timeline?.phases.find((candidate) => candidate.phase === phase);
    expectWithin(summary?.processes?.io?.writtenBytes ?? 0, bytes, `written in ${phase}`);
  }
}

async function expectTrueTimeline(profileFile: string, intervalMs: number): Promise<void> {
  const { result, snapshots, kernel } = await quantizeWatched(profileFile, intervalMs);
  expectWithinTwoPercent(figuresOfSeries(snapshots, kernel.pid), kernel);
  expectWithinTwoPercent(figuresOfPhases(result), kernel);
  expectTruePhases(result, kernel);
}

describe.skipIf(unmet !== undefined)(
  `the timeline of a quantization${unmet === undefined ? '' : ` (${unmet})`}`,
  () => {
    skipWithoutRealModels(models);

    it.each([100, 700])(
      "has the kernel's figures of peak memory and written bytes for the bundled example, sampled every %i ms",
      (intervalMs) => expectTrueTimeline(digits, intervalMs),
    );

    it.skipIf(models.directory === undefined)(
      "has the kernel's figures of peak memory and written bytes, for mobilenetv2_imagenet",
      () =>
        expectTrueTimeline(
          writeRealProfile('mobilenetv2_imagenet', models.directory ?? '', temporaryFolder()),
          100,
        ),
      300_000,
    );
  },
);
