import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';

/** What is to be captured. */
export interface CaptureOrder {
  /** 0 for `DEFAULT_CAPTURE_MS`. */
  readonly durationMs: number;
  /** When to begin, in milliseconds since the Unix epoch; what is past is now. */
  readonly startWallMs?: number;
  /** What `terminate` names. It comes from outside: it is compared, and neither written nor logged. */
  readonly sessionId: string;
}

const DEFAULT_CAPTURE_MS = 1_000;
const MAX_CAPTURE_MS = 300_000;
/** How far ahead a capture can be ordered: clients that capture several hosts let them begin together. */
const MAX_AHEAD_MS = 60_000;
const MAX_SESSION_ID_CHARACTERS = 256;

/** A capture with its limits checked. */
export interface ReadyCapture {
  readonly durationMs: number;
  readonly delayMs: number;
  readonly sessionId: string;
}

/** Problems: `capture-out-of-range`. */
export function readyCapture(
  { durationMs, startWallMs = 0, sessionId }: CaptureOrder,
  nowWallMs: number,
): Result<ReadyCapture, Problem> {
  const duration = durationMs === 0 ? DEFAULT_CAPTURE_MS : durationMs;
  if (!(duration > 0 && duration <= MAX_CAPTURE_MS)) {
    return outOfRange(`a capture takes 1 ms to ${MAX_CAPTURE_MS / 1000} s, not ${seconds(duration)}`);
  }
  const delayMs = Math.max(0, startWallMs - nowWallMs);
  if (!(delayMs <= MAX_AHEAD_MS)) {
    return outOfRange(`a capture begins within ${MAX_AHEAD_MS / 1000} s, not in ${seconds(delayMs)}`);
  }
  if (sessionId.length > MAX_SESSION_ID_CHARACTERS) {
    return outOfRange(`the name of a session has up to ${MAX_SESSION_ID_CHARACTERS} characters`);
  }
  return ok({ durationMs: duration, delayMs, sessionId });
}

/** `3.2 s`; nobody has to read the digits of a number that is far out. */
function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toPrecision(2)} s`;
}

function outOfRange(message: string) {
  return err(problem('capture-out-of-range', message));
}
