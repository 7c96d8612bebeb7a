import { readFileSync } from 'node:fs';
import { peakRssBytes } from '../../src/jobs/process-memory.ts';
import { readProfile } from '../../src/runtime/profile/read-profile.ts';
import { buildTrace } from '../../src/trace/build-trace.ts';
import { publishTrace } from '../../src/trace/publish.ts';
import type { TracePart } from '../../src/trace/trace-part.ts';
import { unwrap } from '../support/unwrap.ts';
import type { MillionReport } from './trace-million.ts';

// Makes a trace of one profile in a process of its own, so that its memory can be told.
// usage: trace-million-child.ts PART.json FOLDER

const [, , partFile = '', folder = ''] = process.argv;
const part = JSON.parse(readFileSync(partFile, 'utf8')) as TracePart;

async function timed<T>(
  action: () => T | Promise<T>,
): Promise<{ readonly value: T; readonly seconds: number }> {
  const start = performance.now();
  const value = await action();
  return { value, seconds: (performance.now() - start) / 1e3 };
}

const read = await timed(async () => unwrap(await readProfile(part.profileFile ?? '')));
const built = await timed(() =>
  buildTrace({
    parts: [{ part, events: read.value }],
    phases: [],
    host: { hostname: 'host', nowNs: BigInt(part.baseNs), wallMs: 1.7e12 },
    warnings: [],
  }),
);
const published = await timed(async () =>
  unwrap(await publishTrace(built.value, { logdir: folder, startedAt: new Date() })),
);
const { userCPUTime, systemCPUTime } = process.resourceUsage();
const report: MillionReport = {
  readSeconds: read.seconds,
  buildSeconds: built.seconds,
  publishSeconds: published.seconds,
  cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
  peakRssBytes: peakRssBytes(),
  operators: read.value.count,
};
process.stdout.write(JSON.stringify(report));
