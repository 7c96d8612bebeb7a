import { hostname } from 'node:os';
import { systemClock } from '../core/clock.ts';
import { readProfile } from '../runtime/profile/read-profile.ts';
import { buildTrace } from '../trace/build-trace.ts';
import { opWork } from '../trace/op-work.ts';
import { publishTrace } from '../trace/publish.ts';
import type { Trace } from '../trace/trace.ts';
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
  const trace = buildTrace({
    parts: parts.map(({ part, events, facts }) => ({
      part,
      ...(events === undefined ? {} : { events }),
      ...(facts === undefined ? {} : { facts }),
    })),
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
    ...(await write(trace, task.output)),
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
  output: TraceTask['output'],
): Promise<Pick<TraceReport, 'run' | 'path' | 'perfettoPath' | 'bytes'>> {
  if (output.kind === 'file') {
    return { path: output.file, bytes: await writeXSpaceFile(trace, output.file) };
  }
  const { logdir, startedMs } = output;
  const made = unwrap(await publishTrace(trace, { logdir, startedAt: new Date(startedMs) }));
  return {
    run: made.run,
    path: made.xspaceFile,
    perfettoPath: made.perfettoFile,
    bytes: made.xspaceBytes + made.perfettoBytes,
  };
}

function countEvents({ planes }: Trace): number {
  return planes.reduce(
    (total, { lines }) => total + lines.reduce((ofPlane, { events }) => ofPlane + events.count, 0),
    0,
  );
}
