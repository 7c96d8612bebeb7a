import { attempt } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type CollectProblem, type Host, malformed, quote, readText } from './collector.ts';

/** Cumulative stall time since boot, in seconds. */
export interface StallSeconds {
  /** At least one task waited for the resource. */
  readonly someSeconds: number;
  /** Every task that could have run waited for it. Zero where the kernel does not tell it (CPU before Linux 5.13). */
  readonly fullSeconds: number;
}

export interface PressureReading {
  readonly cpu: StallSeconds;
  readonly io: StallSeconds;
  readonly memory: StallSeconds;
}

const STALL_LINE = /^(some|full) .* total=(\d+)$/;

/** Pressure stall information, `/proc/pressure/*` (kernel doc accounting/psi.rst). `absent` when the kernel lacks it. */
export function collectPressure(host: Host): Result<PressureReading, CollectProblem> {
  return attempt(() => ({
    cpu: readStall(host, 'cpu'),
    io: readStall(host, 'io'),
    memory: readStall(host, 'memory'),
  }));
}

function readStall(host: Host, resource: keyof PressureReading): StallSeconds {
  const file = `${host.procPath}/pressure/${resource}`;
  const lines = readText(host, file).trimEnd().split('\n');
  const [some, full] = lines;
  return {
    someSeconds: parseTotal(some, 'some', file, 1),
    fullSeconds: full === undefined ? 0 : parseTotal(full, 'full', file, 2),
  };
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=15626050`, total in microseconds. */
function parseTotal(text: string | undefined, kind: 'some' | 'full', file: string, line: number): number {
  const match = STALL_LINE.exec(text ?? '');
  if (match?.[1] !== kind)
    throw malformed(file, `expected "${kind} ... total=N" but found ${quote(text)}`, line);
  return Number(match[2]) / 1e6;
}
