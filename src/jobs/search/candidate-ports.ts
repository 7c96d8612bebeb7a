import { secondsBetween } from '../../core/clock.ts';
import type { Device } from '../../core/device.ts';
import { digestText } from '../../core/digest.ts';
import type { Problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import { furtherCalibrations, type SearchCandidate } from '../../quantization/search/candidates.ts';
import type { Target } from '../../quantization/targets.ts';
import type { InputDigests } from '../digest-inputs.ts';
import type { ModelEvaluation } from '../evaluate-task.ts';
import type { QuantizeReport } from '../quantize-task.ts';
import type { CandidateFiles } from './candidate-files.ts';
import { choosingBudget } from './choosing-budget.ts';
import type { DividedSamples } from './divide-samples.ts';
import type { BuiltFigures } from './measured-candidate.ts';
import { rememberIn } from './remember.ts';
import type { SearchJournal } from './search-journal.ts';
import type { SampleCount, SearchPorts } from './search-ports.ts';
import type { SearchDeps, SearchRequest } from './search-request.ts';
import { signalWithin } from './signal-within.ts';
import { accuracyOf } from './standing.ts';
import { latencyEntries } from './time-candidates.ts';

/** What a search works with once its model and data are known. */
export interface SearchGround {
  readonly request: SearchRequest;
  readonly deps: SearchDeps;
  readonly journal: SearchJournal;
  readonly files: CandidateFiles;
  readonly digests: InputDigests;
  readonly divided: DividedSamples;
  /** Names all that every measurement follows from: model, data, host, versions. */
  readonly groundKey: string;
  readonly folders: { readonly ranges: string; readonly outputs: string };
  readonly deadlineNs: bigint | undefined;
}

/** So many samples tell which candidates are worth a closer look. */
const FEW_SAMPLES = 32;
/** A worker inside the runtime does not hear that it should end. */
const KILL_AFTER_MS = 1000;

/** A search that makes candidates in workers, and remembers what it measured in a journal. */
export function candidatePorts(
  ground: SearchGround,
): SearchPorts & { readonly keyOf: (of: SearchCandidate) => string } {
  const { request, deps, journal, files, divided, groundKey, folders, digests, deadlineNs } = ground;
  const { clock, signal, workers } = deps;
  const remember = rememberIn(journal);
  const keyOf = ({ recipe }: SearchCandidate) => digestText(JSON.stringify([groundKey, 'build', recipe]));
  const part = (only: readonly number[]) => ({ ...request.data, only });
  const secondsLeft = () =>
    deadlineNs === undefined ? Number.POSITIVE_INFINITY : secondsBetween(clock.nowNs(), deadlineNs);
  const controls = (withinSeconds: number) => ({
    signal: signalWithin(signal, withinSeconds),
    killAfterMs: KILL_AFTER_MS,
  });

  const make = async (
    candidate: SearchCandidate,
    withinSeconds: number,
  ): Promise<Result<QuantizeReport, Problem>> => {
    const key = keyOf(candidate);
    const made = await workers.quantize(
      {
        kind: 'quantize',
        modelPath: request.modelPath,
        outputPath: await files.prepare(key),
        data: part(divided.make),
        recipe: candidate.recipe,
        threads: request.threads,
        rangesCache: { folder: folders.ranges, digests, further: furtherCalibrations(candidate.recipe) },
        subject: candidate.label,
      },
      controls(withinSeconds),
    );
    if (!made.ok) await files.remove(key);
    return made;
  };

  /** The model of a candidate that was made, made again where an earlier search has removed it. */
  const pathOf = async (
    candidate: SearchCandidate,
    withinSeconds: number,
  ): Promise<Result<string, Problem>> => {
    const key = keyOf(candidate);
    if (await files.has(key)) return ok(files.pathOf(key));
    const made = await make(candidate, withinSeconds);
    return made.ok ? ok(files.pathOf(key)) : made;
  };

  return {
    keyOf,
    secondsLeft,
    isCancelled: () => signal?.aborted === true,
    isKnown: (candidate) => journal.read(keyOf(candidate)) !== undefined,
    build: (candidate, withinSeconds) =>
      remember(keyOf(candidate), candidate.label, async () => {
        const startNs = clock.nowNs();
        const made = await make(candidate, withinSeconds);
        return made.ok ? ok(figuresOf(made.value, secondsBetween(startNs, clock.nowNs()))) : made;
      }),
    judge: (candidate, samples, withinSeconds) => {
      const count = samplesOf(samples, divided);
      const budget = choosingBudget(request, divided.isLabelled);
      const key = digestText(JSON.stringify([keyOf(candidate), 'judge', count, request.task, budget]));
      return remember(key, `${candidate.label}: accuracy on ${count} samples`, async () => {
        const path = await pathOf(candidate, withinSeconds);
        if (!path.ok) return path;
        const answer = await workers.run(
          {
            kind: 'evaluate',
            reference: { variant: 'float32', path: request.modelPath },
            candidates: [{ variant: candidate.label, path: path.value }],
            data: part(divided.choose),
            samples: count,
            task: request.task,
            budget,
            threads: request.threads,
            outputsCache: { folder: folders.outputs, digests },
          },
          controls(withinSeconds),
        );
        if (!answer.ok) return answer;
        const [evaluation] = answer.value as readonly ModelEvaluation[];
        return ok(accuracyOf(evaluation as ModelEvaluation, budget.atLeast));
      });
    },
    time: async (candidates) => {
      const key = digestText(
        JSON.stringify([candidates.map(keyOf), 'time', request.latencyThreads, request.scope.target]),
      );
      const timed = await remember(key, `latency of ${candidates.length} candidates`, async () => {
        const withinSeconds = request.evaluation === undefined ? secondsLeft() : secondsLeft() * 0.8;
        const paths = new Map<string, string>();
        for (const candidate of candidates) {
          const path = await pathOf(candidate, withinSeconds);
          if (path.ok) paths.set(candidate.label, path.value);
        }
        const timing = await workers.time(
          {
            model: request.modelPath,
            float32Path: request.modelPath,
            candidates: paths,
            data: part(divided.choose),
            threads: request.latencyThreads,
            device: deviceOf(request.scope.target),
            withinSeconds,
          },
          deps,
        );
        if (!timing.ok) return timing;
        const { latencies, isCutShort } = timing.value;
        const value = latencyEntries.pack(latencies);
        return isCutShort ? { ...ok(value), isToBeForgotten: true } : ok(value);
      });
      return timed.ok ? ok(latencyEntries.unpack(timed.value)) : timed;
    },
    // What was measured earlier need not be at hand any more; it is made again if it is chosen in the end.
    keep: async ({ candidate }) => {
      if (await files.has(keyOf(candidate))) await files.publish(keyOf(candidate));
    },
    deliver: async ({ candidate }) => {
      const path = await pathOf(candidate, Number.POSITIVE_INFINITY);
      if (path.ok) await files.publish(keyOf(candidate));
      return path.ok ? ok(undefined) : path;
    },
    discard: (candidate) => files.remove(keyOf(candidate)),
  };
}

function samplesOf(samples: SampleCount, { choose }: DividedSamples): number {
  return samples === 'few' ? Math.min(FEW_SAMPLES, choose.length) : choose.length;
}

function figuresOf(report: QuantizeReport, seconds: number): BuiltFigures {
  const { sizeBytes, ops, latencyGate } = report;
  return {
    sizeBytes: sizeBytes.after,
    quantized: ops.quantized,
    fused: ops.fused,
    ...(latencyGate === undefined ? {} : { gate: { leftNodes: latencyGate.leftNodes ?? [] } }),
    seconds,
    report,
  };
}

/** Where a model for this target computes. */
function deviceOf(target: Target): Device {
  return target === 'portable' ? 'cpu' : target;
}
