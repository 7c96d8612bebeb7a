import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { type Clock, systemClock } from '../core/clock.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { formatSeconds } from '../core/units.ts';
import { SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { type LockClaim, livingClaims, putClaim, removeClaim } from './lock-claims.ts';

export interface BenchLock {
  /** Says to others who has the lock. */
  readonly file: string;
  /** Gives the lock back. Happens by itself when the process ends, in whatever way. */
  readonly release: () => void;
}

export interface BenchLockOptions {
  /** How long to wait for a benchmark that is under way; 0 not at all. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** Told who has the lock, once for each holder that is waited for. */
  readonly onWaiting?: (holder: LockClaim) => void;
  /** Where the files lie; the same for all who are to keep clear of each other. */
  readonly folder?: string;
  readonly pollMs?: number;
  readonly procPath?: string;
  readonly clock?: Clock;
}

type BenchLockProblem = Problem<'bench-locked' | 'bench-lock-unavailable' | 'cancelled'>;

const POLL_MS = 500;

/** Those that saw each other try again after up to this long, each after a time of its own. */
const CLASH_MS = 50;

/** Sticky, and open to everybody: all users can put files there, and none can take away another's. */
const SHARED_MODE = 0o1002;

/**
 * Waits until no other process of this host benchmarks, on whatever device: a run on the CPU disturbs one on a GPU too, as
 * that is fed by the CPU. `device` is for the message to those who wait. The order of those who wait is chance.
 *
 * Who wants the lock first puts down a claim, then looks for others (Dekker's way), and takes the claim back if there is one.
 * Of two at the same time at least one sees the other, so two never have the lock; a claim whose process is gone counts for
 * nothing, so no file has to be removed by whoever comes after a crash, which a sticky folder would forbid to other users.
 *
 * Problems: `bench-locked` after `waitMs`, `cancelled`, `bench-lock-unavailable` where no file can be made. Processes that do
 * not see each other (other containers, a service with a `/tmp` of its own) do not keep clear of each other.
 */
export async function acquireBenchLock(
  device: string,
  options: BenchLockOptions,
): Promise<Result<BenchLock, BenchLockProblem>> {
  const { waitMs, signal, onWaiting, pollMs = POLL_MS, clock = systemClock } = options;
  const folder = options.folder ?? benchLockFolder();
  const procPath = options.procPath ?? SYSTEM_ROOTS.procPath;
  const giveUpNs = clock.nowNs() + BigInt(Math.round(waitMs * 1e6));
  const told = new Set<string>();
  for (;;) {
    if (signal?.aborted) return err(problem('cancelled', 'the wait for another benchmark was cancelled'));
    const tried = tryOnce(folder, procPath, device);
    if (!tried.ok) return tried;
    if (tried.value.kind === 'acquired') return ok(tried.value.lock);
    if (tried.value.kind === 'clash') {
      await pause(Math.random() * CLASH_MS, signal);
      continue;
    }
    const { holder } = tried.value;
    if (clock.nowNs() >= giveUpNs) return err(locked(holder, clock));
    if (!told.has(holder.file)) onWaiting?.(holder);
    told.add(holder.file);
    const leftMs = Number(giveUpNs - clock.nowNs()) / 1e6;
    await pause(Math.min(pollMs, Math.max(0, leftMs)), signal);
  }
}

/** `process 4242 benchmarks on cuda, for 3 min 20 s so far`. */
export function describeHolder({ pid, device, sinceMs }: LockClaim, clock: Clock = systemClock): string {
  const seconds = Math.max(0, clock.wallMs() - sinceMs) / 1e3;
  return `process ${pid} benchmarks${device === null ? '' : ` on ${device}`}, for ${formatSeconds(seconds)} so far`;
}

/** With this variable set, the lock lies in its folder: for containers that share a host, and for tests. */
const LOCK_FOLDER = 'PTQ_AGENT_LOCK_DIR';

/**
 * A folder that is the same for all users of the host and open to all of them: `/run/lock`, where it is (Debian), or `/tmp`. Not
 * XDG_RUNTIME_DIR, which every user has one of.
 */
export function benchLockFolder(
  candidates: readonly string[] = ['/run/lock', '/tmp'],
  env: NodeJS.ProcessEnv = process.env,
): string {
  return env[LOCK_FOLDER] ?? candidates.find(isShared) ?? tmpdir();
}

function isShared(folder: string): boolean {
  const stat = statSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && (stat.mode & SHARED_MODE) === SHARED_MODE;
}

type Outcome =
  | { readonly kind: 'acquired'; readonly lock: BenchLock }
  | { readonly kind: 'clash' }
  | { readonly kind: 'held'; readonly holder: LockClaim };

function tryOnce(folder: string, procPath: string, device: string): Result<Outcome, BenchLockProblem> {
  let own: string | undefined;
  try {
    const [holder] = livingClaims(folder, procPath);
    if (holder !== undefined) return ok({ kind: 'held', holder });
    own = putClaim(folder, device, procPath);
    if (livingClaims(folder, procPath, own).length === 0) return ok({ kind: 'acquired', lock: lockOf(own) });
    removeClaim(own);
    return ok({ kind: 'clash' });
  } catch (error) {
    if (own !== undefined) removeClaim(own);
    if (!(error instanceof Error && 'code' in error)) throw error;
    return err(
      problem('bench-lock-unavailable', `no lock can be made in ${folder} (${String(error.code)})`, {
        place: { file: folder },
        hint: 'it must be a folder that this user may read and write; without it two benchmarks could disturb each other',
      }),
    );
  }
}

function lockOf(file: string): BenchLock {
  const release = () => {
    process.off('exit', release);
    removeClaim(file);
  };
  process.on('exit', release);
  return { file, release };
}

function locked(holder: LockClaim, clock: Clock): Problem<'bench-locked'> {
  return problem(
    'bench-locked',
    `another benchmark is under way on this host: ${describeHolder(holder, clock)}`,
    {
      place: { file: holder.file },
      hint: `wait until it is done, or end process ${holder.pid}`,
    },
  );
}

/** Ends early, and without an error, when the signal says so. */
async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(delayMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
