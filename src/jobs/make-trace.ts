import { availableParallelism, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { toJson } from '../core/json.ts';
import { PROVIDER_OF } from '../runtime/nodes-by-provider.ts';
import { readProfile } from '../runtime/profile/read-profile.ts';
import { buildTrace } from '../trace/build-trace.ts';
import { opWork } from '../trace/op-work.ts';
import { publishTrace } from '../trace/publish.ts';
import type { Peaks } from '../trace/roofline/peaks.ts';
import { rooflinesOfParts, type TracedRoofline } from '../trace/roofline/rooflines-of-parts.ts';
import type { Trace } from '../trace/trace.ts';
import type { TracedPart } from '../trace/trace-input.ts';
import type { TracePart } from '../trace/trace-part.ts';
import { readShapes } from '../trace/work/typed-shape.ts';
import { writeXSpaceFile } from '../trace/write-trace.ts';
import { type FindNodeFacts, readNodeFacts } from './node-facts.ts';
import { readTraceParts } from './trace-spool.ts';
import type { TraceReport, TraceTask } from './trace-task.ts';
import { readTraceTimeline } from './trace-timeline.ts';
import { type ReadPart, summarizeOperators } from './traced-operators.ts';
import { unwrap } from './unwrap.ts';

/**
 * Makes a trace of the parts in a spool folder and of a timeline. What cannot be read is a warning in the trace. Runs in a worker
 * process. Throws `ProblemError`: `nothing-traced` where there is neither a part nor a timeline, and those of writing.
 */
export async function makeTrace(task: TraceTask): Promise<TraceReport> {
  const spooled = await readTraceParts(task.folder);
  const warnings = [...task.warnings, ...spooled.warnings];
  const timeline = await readTraceTimeline(task, (warning) => warnings.push(warning));
  const parts = await readParts(spooled.parts, task.folder, (warning) => warnings.push(warning));
  const tracedParts = parts.map(({ part, events, facts }): TracedPart => {
    const peaksOf = peaksFor(part, task.peaks ?? []);
    return {
      part,
      ...(events === undefined ? {} : { events }),
      ...(facts === undefined ? {} : { facts }),
      ...(peaksOf === undefined ? {} : { peaksOf }),
    };
  });
  const trace = buildTrace({
    parts: tracedParts,
    phases: timeline.phases,
    ...(timeline.counters === undefined ? {} : { counters: timeline.counters }),
    host: {
      hostname: hostname(),
      nowNs: systemClock.nowNs(),
      wallMs: systemClock.wallMs(),
      ...(timeline.gpus.length === 0 ? {} : { gpus: timeline.gpus }),
    },
    ...(task.window === undefined ? {} : { window: task.window }),
    warnings,
  });
  const models = summarizeOperators(parts);
  return {
    ...(await write(trace, task, rooflinesOfParts(tracedParts))),
    events: countEvents(trace),
    steps: models.reduce((total, { requests }) => total + requests, 0),
    models,
    warnings: trace.warnings,
  };
}

interface TracedPartRead extends ReadPart {
  readonly facts: FindNodeFacts | undefined;
}

async function readParts(
  parts: readonly TracePart[],
  scratch: string,
  warn: (warning: string) => void,
): Promise<readonly TracedPartRead[]> {
  const factsByModel = new Map<string, FindNodeFacts | undefined>();
  const read: TracedPartRead[] = [];
  for (const part of parts) {
    const profile = part.profileFile === undefined ? undefined : await readProfile(part.profileFile);
    if (profile?.ok === false) warn(`Operators of ${part.modelId} are missing: ${profile.error.message}`);
    const facts = await factsOf(part, scratch, factsByModel);
    const events = profile?.ok === true ? profile.value : undefined;
    read.push({ part, events, facts, flopsOf: flopsOfKinds(events?.kindList ?? [], facts) });
  }
  return read;
}

/** What a profile leaves out; without it less is known of the work of some operators. */
async function factsOf(
  { modelPath, device }: TracePart,
  scratch: string,
  known: Map<string, FindNodeFacts | undefined>,
): Promise<FindNodeFacts | undefined> {
  if (modelPath === undefined) return undefined;
  const key = `${device} ${modelPath}`;
  if (!known.has(key)) {
    const facts = await readNodeFacts(modelPath, { device, scratch });
    known.set(key, facts.ok ? facts.value : undefined);
  }
  return known.get(key);
}

function flopsOfKinds(
  kinds: NonNullable<ReadPart['events']>['kindList'],
  factsOfNode: FindNodeFacts | undefined,
): ReadPart['flopsOf'] {
  const known = kinds.map(({ name, op, inputShapes, outputShapes }) => {
    const facts = factsOfNode?.(name);
    const call = { op, inputs: readShapes(inputShapes), outputs: readShapes(outputShapes) };
    return opWork(facts === undefined ? call : { ...call, facts }).flops;
  });
  return (kind) => known[kind] ?? null;
}

async function write(
  trace: Trace,
  { output, peaks = [] }: TraceTask,
  models: readonly TracedRoofline[],
): Promise<Pick<TraceReport, 'run' | 'path' | 'perfettoPath' | 'rooflinePath' | 'bytes'>> {
  if (output.kind === 'file') {
    return { path: output.file, bytes: await writeXSpaceFile(trace, output.file) };
  }
  const { logdir, startedMs } = output;
  const beside = models.length === 0 ? {} : { [ROOFLINE_FILE]: `${toJson({ peaks, models }, 2)}\n` };
  const made = unwrap(await publishTrace(trace, { logdir, startedAt: new Date(startedMs), beside }));
  return {
    run: made.run,
    path: made.xspaceFile,
    perfettoPath: made.perfettoFile,
    ...(models.length === 0 ? {} : { rooflinePath: join(dirname(made.perfettoFile), ROOFLINE_FILE) }),
    bytes: made.xspaceBytes + made.perfettoBytes,
  };
}

const ROOFLINE_FILE = 'roofline.json';

/** Peaks by provider for a session of as many threads; undefined where none of its device are known. */
function peaksFor({ device, threads }: TracePart, peaks: readonly Peaks[]): TracedPart['peaksOf'] {
  const used = threads === undefined ? undefined : threads || availableParallelism();
  const known = peaks.filter((of) => of.threads === used);
  if (!known.some((of) => of.device === device)) return undefined;
  return (provider) => known.find((of) => PROVIDER_OF[of.device] === provider);
}

function countEvents({ planes }: Trace): number {
  return planes.reduce(
    (total, { lines }) => total + lines.reduce((ofPlane, { events }) => ofPlane + events.count, 0),
    0,
  );
}
