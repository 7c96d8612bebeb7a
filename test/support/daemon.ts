import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunState } from '../../src/core/run-terms.ts';
import { DIGITS_MODEL, type Program, startProgram } from './program.ts';

/** A run as the API shows it. */
export interface ShownRun {
  readonly id: string;
  readonly kind: string;
  readonly model: string;
  readonly state: RunState;
  readonly progress?: { readonly phase: string };
  readonly problem?: { readonly kind: string; readonly message: string };
  readonly result?: {
    readonly variants: readonly {
      readonly variant: string;
      readonly quantization?: { readonly reused: boolean; readonly output: string };
      readonly bench: readonly { readonly queries: number }[];
    }[];
  };
}

export interface Daemon extends Program {
  readonly url: string;
  /** Where traces can be captured. */
  readonly profilerPort: number;
  readonly get: (path: string) => Promise<Response>;
  /** With the token of the daemon. */
  readonly post: (path: string, body: object) => Promise<Response>;
  readonly order: (body: object) => Promise<ShownRun>;
  readonly runs: () => Promise<readonly ShownRun[]>;
  readonly run: (id: string) => Promise<ShownRun>;
}

/** Starts `ptq-agent serve` on a free port and waits until it listens. The bundled model may be named, and what lies beside the profiles. */
export async function startDaemon(
  profiles: string,
  dataDir: string,
  more: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    /** Loopback unless given. */
    readonly listen?: string;
    readonly within?: readonly string[];
  } = {},
): Promise<Daemon> {
  const { listen = '127.0.0.1:0' } = more;
  const addresses = ['--listen', listen, '--profiler', '127.0.0.1:0'];
  const roots = ['--root', dirname(dirname(DIGITS_MODEL)), dirname(profiles)];
  const own = more.args ?? [];
  const args = ['serve', '--profiles', profiles, '--data-dir', dataDir, ...addresses, ...own, ...roots];
  const program = startProgram(args, undefined, more.env, more.within);
  const url = await until(() => /"address":"([^"]+)"/.exec(program.stderr())?.[1] ?? exitOf(program));
  const profilerPort = await until(
    () => /"profiler":"127\.0\.0\.1:([0-9]+)"/.exec(program.stderr())?.[1] ?? exitOf(program),
  );
  const get = (path: string) => fetch(`${url}${path}`);
  const post = (path: string, body: object) => {
    const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    return fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  return {
    ...program,
    url,
    profilerPort: Number(profilerPort),
    get,
    post,
    order: async (body) => {
      const answer = await post('/bench', body);
      if (answer.status !== 202) throw new Error(`expected 202 but found ${answer.status}`);
      return (await answer.json()) as ShownRun;
    },
    runs: async () => ((await (await get('/bench')).json()) as { runs: ShownRun[] }).runs,
    run: async (id) => (await (await get(`/bench/${id}`)).json()) as ShownRun,
  };
}

function exitOf({ child, stderr }: Program): undefined {
  if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}: ${stderr()}`);
}

/** Waits until `probe` gives something. */
export async function until<T>(probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadlineMs = Date.now() + 120_000;
  while (Date.now() < deadlineMs) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('waited for two minutes');
}

const ENDED: readonly RunState[] = ['succeeded', 'failed', 'cancelled', 'interrupted', 'expired'];

/** Waits until a run has ended, whatever came of it. */
export function ended(daemon: Daemon, id: string): Promise<ShownRun> {
  return until(async () => {
    const run = await daemon.run(id);
    return ENDED.includes(run.state) ? run : undefined;
  });
}

/** The first run of a daemon, which orders it by itself a while after its start. */
export function firstRun(daemon: Daemon): Promise<ShownRun> {
  return until(async () => (await daemon.runs())[0]);
}
