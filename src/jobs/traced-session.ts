import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { ok, type Result } from '../core/result.ts';
import { openSession, type Session, type SessionProblem, type SessionSettings } from '../runtime/session.ts';
import type { TracePart } from '../trace/trace-part.ts';
import { leaveTraceProblem, writeTracePart } from './trace-spool.ts';

/** What to trace of a session, and where to. Plain data, for it may cross to a thread. */
export interface FirstRunsTrace extends Pick<TracePart, 'modelId' | 'modelPath' | 'phase' | 'thread'> {
  /** See `makeTraceSpool`. */
  readonly folder: string;
  /** Runs to trace; those after them are as fast as without. */
  readonly runs: number;
}

/** `openSession` whose first runs are traced where that is wanted. A trace that fails leaves word, and fails nothing else. */
export async function openTracedSession(
  path: string,
  settings: SessionSettings,
  trace: FirstRunsTrace | undefined,
): Promise<Result<Session, SessionProblem>> {
  if (trace === undefined) return openSession(path, settings);
  const name = `${process.pid}-${threadId}-${randomBytes(4).toString('hex')}`;
  const profilePrefix = join(trace.folder, `profile-${name}-`);
  const session = await openSession(path, { ...settings, profilePrefix });
  return session.ok ? ok(traceFirstRuns(session.value, trace, name, settings)) : session;
}

function traceFirstRuns(
  session: Session,
  { folder, runs, modelId, modelPath, phase, thread }: FirstRunsTrace,
  name: string,
  { device = 'cpu', intraOpThreads }: SessionSettings,
): Session {
  const baseNs = systemClock.nowNs();
  const startsNs: number[] = [];
  const endsNs: number[] = [];
  const elapsedNs = () => Number(systemClock.nowNs() - baseNs);
  let isOver = false;
  const end = (): void => {
    isOver = true;
    const profile = session.endProfileFile();
    if (!profile.ok) {
      leaveTraceProblem(folder, name, profile.error);
      return;
    }
    if (startsNs.length === 0) {
      rmSync(profile.value, { force: true });
      return;
    }
    const part: TracePart = {
      modelId,
      ...(modelPath === undefined ? {} : { modelPath: resolve(modelPath) }),
      phase,
      device,
      threads: intraOpThreads,
      pid: process.pid,
      thread,
      profileFile: profile.value,
      baseNs: String(baseNs),
      startsNs,
      endsNs,
      firstRequest: 0,
    };
    const written = writeTracePart(folder, name, part);
    if (!written.ok) leaveTraceProblem(folder, name, written.error);
  };
  return {
    ...session,
    run: async (feeds) => {
      if (isOver) return session.run(feeds);
      const startNs = elapsedNs();
      try {
        return await session.run(feeds);
      } finally {
        startsNs.push(startNs);
        endsNs.push(elapsedNs());
        if (startsNs.length >= runs) end();
      }
    },
    close: async () => {
      if (!isOver) end();
      await session.close();
    },
  };
}
