import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../src/core/device.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { generateFeeds } from '../../src/jobs/generated-feeds.ts';
import { readNodeFacts } from '../../src/jobs/node-facts.ts';
import { openBareSession, toTensors } from '../../src/runtime/bare-session.ts';
import { readProfile } from '../../src/runtime/profile/read-profile.ts';
import type { TracedPart } from '../../src/trace/trace-input.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { unwrap } from './unwrap.ts';

export interface RecordSettings {
  readonly modelId: string;
  /** Made up where absent. */
  readonly feeds?: NamedTensors;
  readonly requests: number;
  readonly device?: Device;
  readonly threads?: number;
}

/** What a profile says of one operator, over all requests. */
export interface ProfileSum {
  readonly op: string;
  readonly occurrences: number;
  readonly totalUs: number;
}

/** A session that was traced, with what its profile adds up to when a parser of JSON reads it. */
export interface RecordedRuns {
  readonly traced: TracedPart;
  readonly sums: ReadonlyMap<string, ProfileSum>;
  /** Shaders of the requests. */
  readonly shaders: readonly ProfileEvent[];
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly op_name?: string };
}

/** Runs a model with a profile, once to warm up and then for each request. */
export async function recordRuns(path: string, settings: RecordSettings): Promise<RecordedRuns> {
  const { modelId, requests, device = 'cpu', threads = 1 } = settings;
  const folder = temporaryFolder();
  const session = unwrap(
    openBareSession(path, { device, intraOpThreads: threads, profilePrefix: join(folder, 'profile-') }),
  );
  const feeds = settings.feeds ?? generateFeeds(session.inputs);
  if (feeds === undefined) throw new Error(`no feeds can be made up for ${path}`);
  const run = session.prepare(feeds);
  const baseNs = process.hrtime.bigint();
  const sinceNs = () => Number(process.hrtime.bigint() - baseNs);
  const startsNs: number[] = [];
  const endsNs: number[] = [];
  for (let count = 0; count <= requests; count++) {
    startsNs.push(sinceNs());
    // What is read back of a device has to be there.
    toTensors(run());
    endsNs.push(sinceNs());
  }
  const profileFile = unwrap(session.endProfile());
  session.close();
  const part = {
    modelId,
    phase: 'bench',
    device,
    pid: process.pid,
    thread: `bench ${modelId}`,
    profileFile,
    baseNs: String(baseNs),
    startsNs,
    endsNs,
    firstRequest: 1,
  } as const;
  const facts = unwrap(await readNodeFacts(path, { device, scratch: folder }));
  return {
    traced: { part, events: unwrap(await readProfile(profileFile)), facts },
    ...sumsOf(parseEvents(readFileSync(profileFile, 'utf8'))),
  };
}

/** Names are written as they are, which is no JSON where they have quotes or backslashes. */
function parseEvents(text: string): readonly ProfileEvent[] {
  const escaped = text.replace(
    /"name" :"(.*)","args"/g,
    (_, name) => `"name" :${JSON.stringify(name)},"args"`,
  );
  return JSON.parse(escaped) as readonly ProfileEvent[];
}

function sumsOf(events: readonly ProfileEvent[]): Pick<RecordedRuns, 'sums' | 'shaders'> {
  const sums = new Map<string, ProfileSum>();
  const warmUp = events.findIndex(({ name }) => name === 'model_run');
  for (const { cat, name, dur, args } of events.slice(warmUp + 1)) {
    if (cat !== 'Node') continue;
    const node = name.slice(0, -'_kernel_time'.length);
    const { occurrences = 0, totalUs = 0 } = sums.get(node) ?? {};
    sums.set(node, { op: args.op_name ?? '', occurrences: occurrences + 1, totalUs: totalUs + dur });
  }
  const secondRun = events.filter(({ name }) => name === 'model_run')[1]?.ts ?? 0;
  return { sums, shaders: events.filter(({ cat, ts }) => cat === 'Api' && ts >= secondRun) };
}
