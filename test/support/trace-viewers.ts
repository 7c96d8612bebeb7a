import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What reads traces: TensorFlow's own converter, and that of the package with TensorBoard's page. */
export const TRACE_VIEWERS = ['tensorflow', 'xprof'] as const;

export type TraceViewer = (typeof TRACE_VIEWERS)[number];

export interface OperatorFound {
  readonly type: string;
  readonly occurrences: number;
  readonly totalUs: number;
}

/** What the tools of a viewer find in a trace; see `read-trace.py`. */
export interface TraceFound {
  readonly hostnames?: readonly string[];
  readonly warnings?: readonly string[];
  readonly errors?: readonly string[];
  readonly tool_names: readonly string[];
  readonly overview_page: number;
  /** How many steps. */
  readonly input_pipeline_analyzer: number;
  /** How many requests, by model. */
  readonly inference_profile: Readonly<Record<string, number>>;
  readonly framework_op_stats: Readonly<Record<'Host' | 'Device', Readonly<Record<string, OperatorFound>>>>;
  readonly kernel_stats: readonly {
    readonly name: string;
    readonly op: string;
    readonly occurrences: number;
    readonly totalUs: number;
  }[];
  /** Microseconds and bytes, by allocator. */
  readonly memory_profile: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly 'trace_viewer@': {
    readonly threads: readonly string[];
    readonly slices: number;
    /** How many slices of one name have a number behind it, as steps have. */
    readonly steps: Readonly<Record<string, number>>;
    readonly counters: Readonly<Record<string, readonly number[]>>;
  };
}

/** A Python that has the viewers, or why there is none. */
export function findTracePython(): { readonly python: string } | { readonly reason: string } {
  const python = process.env['PTQ_TRACE_PYTHON'];
  if (python === undefined) {
    return { reason: 'PTQ_TRACE_PYTHON names no Python with TensorFlow and xprof' };
  }
  try {
    const packages = "import importlib.util as u; assert all(map(u.find_spec, ('tensorflow', 'xprof')))";
    execFileSync(python, ['-c', packages], { stdio: 'ignore' });
    return { python };
  } catch {
    return { reason: 'the Python that PTQ_TRACE_PYTHON names lacks TensorFlow or xprof' };
  }
}

/** Opens an XSpace as a viewer does. */
export async function readTrace(python: string, viewer: TraceViewer, file: string): Promise<TraceFound> {
  const script = fileURLToPath(new URL('read-trace.py', import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, viewer, file], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout) as TraceFound;
}
