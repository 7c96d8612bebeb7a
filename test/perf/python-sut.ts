import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { mergeOutputChecks } from '../../src/benchmark/output-check.ts';
import { planRound } from '../../src/benchmark/round.ts';
import type { NamedSut } from '../../src/benchmark/sut-handle.ts';
import { ok } from '../../src/core/result.ts';

const SCRIPT = fileURLToPath(new URL('./peer-latency.py', import.meta.url));

interface Timing {
  readonly startNs: readonly number[];
  readonly doneNs: readonly number[];
}

/** The same runtime driven from Python, as a system that takes its turns beside ours. Closed loops only. */
export function pythonSut(python: string, modelPath: string, dataPath: string, threads: number): NamedSut {
  const child = spawn(python, [SCRIPT, modelPath, dataPath, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => JSON.parse((await lines.next()).value as string) as unknown;
  const loop = async (order: { readonly seconds: number; readonly queries: number }): Promise<Timing> => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    return (await nextLine()) as Timing;
  };
  const capacity = { sampleCount: 256, samplesPerRun: 1 };
  return {
    identity: {
      model: modelPath,
      variant: 'python',
      device: 'cpu',
      provider: 'CPUExecutionProvider',
      threads,
    },
    handle: {
      load: async () => {
        await nextLine();
        return ok({ ...capacity, laneCount: 1, loadSeconds: 0, idleEnergy: null });
      },
      warmUp: async ({ windowDurationNs }) => {
        const { startNs, doneNs } = await loop({ seconds: (4 * windowDurationNs) / 1e9, queries: 3 });
        const durationNs = (doneNs.at(-1) as number) - (startNs[0] as number);
        const queriesPerSecond = (doneNs.length * 1e9) / durationNs;
        return ok({ queries: doneNs.length, durationNs, steady: true, queriesPerSecond, firstRunNs: [] });
      },
      round: async (spec, onRuns) => {
        if (spec.leadInDurationNs > 0) await loop({ seconds: spec.leadInDurationNs / 1e9, queries: 1 });
        const { minDurationNs, minRuns } = planRound(spec, capacity).limits;
        const { startNs, doneNs } = await loop({ seconds: minDurationNs / 1e9, queries: minRuns });
        const origin = startNs[0] as number;
        onRuns(
          Float64Array.from(
            startNs.flatMap((start, run) => {
              const since = start - origin;
              return [run, since, since, since, (doneNs[run] as number) - origin];
            }),
          ),
        );
        return ok({ startNs: BigInt(Math.round(origin)), plannedRuns: null });
      },
      finish: async () => {
        child.stdin.end();
        return ok({
          peakRssBytes: 0,
          cpuSeconds: 0,
          cpus: null,
          placement: null,
          peakGpuMemoryBytes: null,
          arenaBytes: null,
          outputCheck: mergeOutputChecks([]),
        });
      },
      stop: () => child.kill(),
      kill: () => child.kill('SIGKILL'),
      close: async () => {
        child.kill('SIGKILL');
      },
    },
  };
}
