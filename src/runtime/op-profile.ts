import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asError } from '../core/as-error.ts';
import { problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { MODEL_RUN, type ProfileColumns, type ProfileKind } from './profile/profile-columns.ts';
import { type ProfileProblem, parseProfile, readProfile } from './profile/read-profile.ts';

export type { ProfileProblem } from './profile/read-profile.ts';

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
  /**
   * By provider, what its arena had from the system at most, in bytes. Providers of which the runtime tells nothing, or a zero as of
   * WebGPU in 1.30, are absent.
   */
  readonly arenaBytes: Readonly<Record<string, number>>;
}

/**
 * Reads the text of a profile. Runs whose end is missing are worth nothing here, so a text that ends in the middle is a
 * problem. Errors: `profile-unreadable`.
 */
export function parseOpProfile(text: string): Result<OpProfile, ProfileProblem> {
  return flatMap(parseProfile(Buffer.from(text)), toOpProfile);
}

function toOpProfile(columns: ProfileColumns): Result<OpProfile, ProfileProblem> {
  if (columns.isTruncated) return unreadable('it ends in the middle');
  const runs: ProfiledRun[] = [];
  const dispatches: ShaderDispatch[] = [];
  // An event is written when it ends, so the kernels of a run stand before the run itself.
  let calls: KernelCall[] = [];
  const arenaBytes = new Map<string, number>();
  for (let row = 0; row < columns.count; row++) {
    const kind = columns.kindList[columns.kinds[row] as number] as ProfileKind;
    const startNs = (columns.startsUs[row] as number) * 1000;
    const durationNs = (columns.durationsUs[row] as number) * 1000;
    if (kind.category === 'session' && kind.name === MODEL_RUN) {
      runs.push({ startNs, durationNs, calls });
      calls = [];
    } else if (kind.category === 'node') {
      const { name: node, op, provider, outputBytes, inputShapes, outputShapes } = kind;
      calls.push({ node, op, provider, startNs, durationNs, outputBytes, inputShapes, outputShapes });
      const heldBytes = columns.memory?.held[row] ?? Number.NaN;
      if (heldBytes > (arenaBytes.get(provider) ?? 0)) arenaBytes.set(provider, heldBytes);
    } else if (kind.category === 'api') {
      // Written when the device's times are read, which may be after the run.
      dispatches.push({ ...dispatchNames(kind.name), startNs, durationNs });
    }
  }
  dispatches.sort((a, b) => a.startNs - b.startNs);
  return ok({ runs, dispatches, arenaBytes: Object.fromEntries(arenaBytes) });
}

/**
 * Reads the one profile whose path begins with `prefix` and removes its file: the runtime adds the time of day to the
 * name and does not tell it. Errors: `profile-unreadable`.
 */
export async function takeOpProfile(prefix: string): Promise<Result<OpProfile, ProfileProblem>> {
  const path = findProfile(prefix);
  if (!path.ok) return path;
  const profile = await readProfile(path.value);
  await rm(path.value);
  return flatMap(profile, toOpProfile);
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

/** `node&Op&Shader`, of which the node's name may be anything. Source: webgpu_context.cc. */
function dispatchNames(name: string): Pick<ShaderDispatch, 'node' | 'op' | 'shader'> {
  const parts = name.split('&');
  const shader = parts.pop() ?? '';
  const op = parts.pop() ?? '';
  return { node: parts.join('&'), op, shader };
}

function flatMap<T, U, E>(result: Result<T, E>, next: (value: T) => Result<U, E>): Result<U, E> {
  return result.ok ? next(result.value) : result;
}

function unreadable(reason: string) {
  return err(problem('profile-unreadable', `the profile of ONNX Runtime cannot be read: ${reason}`));
}
