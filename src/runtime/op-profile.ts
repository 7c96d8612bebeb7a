import { readdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asError } from '../core/as-error.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

/** One call of a kernel, as the runtime timed it. Times are whole microseconds, given in nanoseconds. */
export interface KernelCall {
  /** Name of the node in the optimized graph; see `optimizedModelPath` of `openSession`. */
  readonly node: string;
  readonly op: string;
  readonly provider: string;
  /** Since the profile began. */
  readonly startNs: number;
  readonly durationNs: number;
  readonly outputBytes: number;
  /** Types and shapes of the inputs as the runtime writes them: calls with equal text do equal work. */
  readonly inputShapes: string;
  readonly outputShapes: string;
}

/** One shader that a WebGPU kernel had the device run. */
export interface ShaderDispatch {
  readonly node: string;
  readonly op: string;
  readonly shader: string;
  /** On the device's clock, moved to the profile's beginning. */
  readonly startNs: number;
  /** On the device, where the kernel's own duration is that of handing it the work. */
  readonly durationNs: number;
}

/** One run of the model. The kernels of If, Loop and Scan bodies are listed beside the node that contains them. */
export interface ProfiledRun {
  readonly startNs: number;
  /** With the time that profiling itself takes, a few microseconds a kernel. */
  readonly durationNs: number;
  readonly calls: readonly KernelCall[];
}

/** What ONNX Runtime wrote about the runs between the opening of a session and the end of its profile. */
export interface OpProfile {
  readonly runs: readonly ProfiledRun[];
  /** Of all runs, in the order of their beginning; none without WebGPU. */
  readonly dispatches: readonly ShaderDispatch[];
}

export type ProfileProblem = Problem<'profile-unreadable'>;

/** An event of the Chrome trace format, which ONNX Runtime writes. Source: onnxruntime/core/common/profiler.cc. */
interface TraceEvent {
  readonly cat?: unknown;
  readonly name?: unknown;
  readonly ts?: unknown;
  readonly dur?: unknown;
  readonly args?: Readonly<Record<string, unknown>>;
}

const KERNEL_SUFFIX = '_kernel_time';

/** Reads the text of a profile. Errors: `profile-unreadable`. */
export function parseOpProfile(text: string): Result<OpProfile, ProfileProblem> {
  let events: unknown;
  try {
    events = JSON.parse(text);
  } catch (error) {
    return unreadable((error as SyntaxError).message);
  }
  if (!Array.isArray(events)) return unreadable('it is no list of events');
  const runs: ProfiledRun[] = [];
  const dispatches: ShaderDispatch[] = [];
  // An event is written when it ends, so the kernels of a run stand before the run itself.
  let calls: KernelCall[] = [];
  for (const event of events as readonly TraceEvent[]) {
    const startNs = microseconds(event.ts);
    const durationNs = microseconds(event.dur);
    if (startNs === undefined || durationNs === undefined || typeof event.name !== 'string') continue;
    if (event.cat === 'Session' && event.name === 'model_run') {
      runs.push({ startNs, durationNs, calls });
      calls = [];
    } else if (event.cat === 'Node' && event.name.endsWith(KERNEL_SUFFIX)) {
      const node = event.name.slice(0, -KERNEL_SUFFIX.length);
      calls.push({ node, startNs, durationNs, ...kernelDetails(event.args ?? {}) });
    } else if (event.cat === 'Api') {
      // Written when the device's times are read, which may be after the run.
      dispatches.push({ ...dispatchNames(event.name), startNs, durationNs });
    }
  }
  dispatches.sort((a, b) => a.startNs - b.startNs);
  return ok({ runs, dispatches });
}

/**
 * Reads the one profile whose path begins with `prefix` and removes its file: the runtime adds the time of day to the
 * name and does not tell it. Errors: `profile-unreadable`.
 */
export async function takeOpProfile(prefix: string): Promise<Result<OpProfile, ProfileProblem>> {
  const path = findProfile(prefix);
  if (!path.ok) return path;
  const text = await readFile(path.value, 'utf8');
  await rm(path.value);
  return parseOpProfile(text);
}

/** The one profile whose path begins with `prefix`. Errors: `profile-unreadable`. */
export function findProfile(prefix: string): Result<string, ProfileProblem> {
  const folder = dirname(prefix);
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    return unreadable(asError(error).message);
  }
  const name = names.find((file) => file.startsWith(basename(prefix)));
  return name === undefined ? unreadable('the runtime wrote none') : ok(join(folder, name));
}

function kernelDetails(args: Readonly<Record<string, unknown>>) {
  const text = (key: string) => (typeof args[key] === 'string' ? (args[key] as string) : '');
  return {
    op: text('op_name'),
    provider: text('provider'),
    outputBytes: Number(text('output_size')) || 0,
    inputShapes: JSON.stringify(args['input_type_shape'] ?? []),
    outputShapes: JSON.stringify(args['output_type_shape'] ?? []),
  };
}

/** `node&Op&Shader`, of which the node's name may be anything. Source: webgpu_context.cc. */
function dispatchNames(name: string): Pick<ShaderDispatch, 'node' | 'op' | 'shader'> {
  const parts = name.split('&');
  const shader = parts.pop() ?? '';
  const op = parts.pop() ?? '';
  return { node: parts.join('&'), op, shader };
}

function microseconds(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : undefined;
}

function unreadable(reason: string) {
  return err(problem('profile-unreadable', `the profile of ONNX Runtime cannot be read: ${reason}`));
}
