import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { Snapshot } from '../../telemetry/snapshot.ts';
import type { WatchedRun } from './watch-view.ts';

/** Where a daemon is, and what it wants to see of whoever asks. */
export interface DaemonAt {
  readonly url: URL;
  readonly token?: string;
}

/** How long a daemon on this host takes to answer at most; it answers from memory. */
const ANSWER_WITHIN_MS = 2_000;

/** Whether a daemon answers there. */
export async function isDaemon(url: URL): Promise<boolean> {
  const answer = await ask({ url }, '/-/healthy');
  return answer.ok && answer.value.ok;
}

/** Calls `onSnapshot` with the snapshots of a daemon as they come. Resolves when it ends or `signal` fires. Problems: `daemon-unreachable`. */
export function followDaemon(
  daemon: DaemonAt,
  signal: AbortSignal,
  onSnapshot: (snapshot: Snapshot) => void,
): Promise<Result<void, Problem>> {
  const { url } = daemon;
  return attemptAsync(async () => {
    try {
      const answer = await fetch(new URL('/telemetry', url), { signal, headers: headersFor(daemon) });
      if (answer.status === 401) throw locked(url);
      if (!answer.ok || answer.body === null) {
        throw unreachable(url, `it answered ${answer.status}; is it of another version?`);
      }
      let rest = '';
      for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onSnapshot(toSnapshot(line));
      }
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      if (signal.aborted) return;
      throw unreachable(url, causeOf(error));
    }
  });
}

/** A run of the daemon: this one, or the one that is under way. Undefined where there is none, or no answer. */
export async function readRun(daemon: DaemonAt, id: string | undefined): Promise<WatchedRun | undefined> {
  const path = id === undefined ? '/bench?state=running&limit=1' : `/bench/${encodeURIComponent(id)}`;
  const answer = await ask(daemon, path);
  if (!answer.ok || !answer.value.ok) return undefined;
  const body = (await answer.value.json()) as { readonly runs?: readonly WatchedRun[] } & WatchedRun;
  return id === undefined ? body.runs?.[0] : body;
}

async function ask(daemon: DaemonAt, path: string): Promise<Result<Response, Problem>> {
  const { url } = daemon;
  return attemptAsync(async () => {
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      return await fetch(new URL(path, url), { signal, headers: headersFor(daemon) });
    } catch (error) {
      throw unreachable(url, causeOf(error));
    }
  });
}

/** What a daemon of this version sends: a snapshot as JSON, whose tick is a decimal string. */
function toSnapshot(line: string): Snapshot {
  const { tickNs, ...rest } = JSON.parse(line) as Omit<Snapshot, 'tickNs'> & { readonly tickNs: string };
  return { ...rest, tickNs: BigInt(tickNs) };
}

function headersFor({ token }: DaemonAt): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function locked(url: URL): ProblemError<'unauthorized'> {
  return new ProblemError(
    problem('unauthorized', `the daemon at ${url.origin} wants its token`, {
      hint: 'name the file that holds it with --token-file, such as DATA-DIR/token',
    }),
  );
}

function unreachable(url: URL, reason: string): ProblemError<'daemon-unreachable'> {
  return new ProblemError(
    problem('daemon-unreachable', `no daemon can be watched at ${url.origin}: ${reason}`, {
      hint: 'start one with ptq-agent serve, or watch this host without one: --local',
    }),
  );
}

/** `fetch` says little itself, and its cause much. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
