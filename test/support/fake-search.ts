import type { Problem } from '../../src/core/problem.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type {
  AccuracyFigures,
  BuiltFigures,
  LatencyFigures,
  Standing,
} from '../../src/jobs/search/measured-candidate.ts';
import type { SearchPorts } from '../../src/jobs/search/search-ports.ts';
import { completeRecipe } from '../../src/quantization/recipe.ts';
import type { CandidateEffort, SearchCandidate } from '../../src/quantization/search/candidates.ts';

/** A candidate of a hand-made space, with all that there is to find out about it. */
export interface FakeCandidate {
  readonly label: string;
  readonly family?: string;
  readonly effort?: CandidateEffort;
  readonly seconds?: number;
  readonly sizeBytes?: number;
  readonly loss?: number;
  readonly sqnrDb?: number;
  readonly standing?: Standing;
  readonly latencySeconds?: number;
  readonly problem?: Problem;
}

export function candidateOf({ label, family = label, effort = 'plain' }: FakeCandidate): SearchCandidate {
  return { label, family, effort, recipe: completeRecipe({ format: 'float16' }) };
}

export function accuracy(of: Partial<AccuracyFigures> = {}): AccuracyFigures {
  return {
    samples: 100,
    metric: 'agreement',
    value: 1,
    reference: 1,
    loss: 0,
    lossUpperBound: 0.03,
    allowed: 0.01,
    agreement: 1,
    sqnrDb: 30,
    standing: 'undecided',
    reason: 'as the test says',
    ...of,
  };
}

export function latency(medianSeconds: number, slowerThan: readonly string[] = []): LatencyFigures {
  const ratio = 0.01 / medianSeconds;
  return {
    medianSeconds,
    float32Seconds: 0.01,
    speedUp: { ratio, lower: ratio * 0.9, upper: ratio * 1.1 },
    slowerThan,
    invalidReasons: [],
  };
}

/** Ports that know the answers, take the time that candidates take, and write down what they were asked. */
export interface FakePorts extends SearchPorts {
  readonly asked: string[];
  readonly kept: string[];
  readonly delivered: string[];
  nowSeconds: number;
  cancelled: boolean;
}

export function fakePorts(
  space: readonly FakeCandidate[],
  { limitSeconds = Number.POSITIVE_INFINITY, cancelAfter = Number.POSITIVE_INFINITY } = {},
): FakePorts {
  const of = (label: string) => space.find((known) => known.label === label) as FakeCandidate;
  const ports: FakePorts = {
    asked: [],
    kept: [],
    delivered: [],
    nowSeconds: 0,
    cancelled: false,
    build: async ({ label }, withinSeconds): Promise<Result<BuiltFigures, Problem>> => {
      ask(`build ${label}`);
      const { seconds = 1, sizeBytes = 1000, problem } = of(label);
      if (ports.cancelled || seconds > withinSeconds) {
        ports.nowSeconds += Math.max(0, Math.min(seconds, withinSeconds));
        return err({ kind: 'cancelled', message: 'the job was cancelled' });
      }
      ports.nowSeconds += seconds;
      return problem === undefined ? ok({ sizeBytes, quantized: 1, fused: 1, seconds }) : err(problem);
    },
    judge: async ({ label }, samples) => {
      ask(`judge ${label} on ${samples}`);
      const { loss = 0, sqnrDb = 30, standing = loss > 0.01 ? 'doubtful' : 'undecided' } = of(label);
      return ok(accuracy({ loss, lossUpperBound: loss + 0.03, sqnrDb, standing }));
    },
    time: async (candidates) => {
      ask(`time ${candidates.length}`);
      const timed = candidates.map(({ label }) => ({ label, seconds: of(label).latencySeconds ?? 0.005 }));
      const fasterThan = (seconds: number) => timed.filter((other) => other.seconds < seconds * 0.95);
      return ok(
        new Map(
          timed.map(({ label, seconds }) => [
            label,
            latency(
              seconds,
              fasterThan(seconds).map((other) => other.label),
            ),
          ]),
        ),
      );
    },
    keep: async ({ candidate }) => void ports.kept.push(candidate.label),
    deliver: async ({ candidate }) => {
      ports.delivered.push(candidate.label);
      return ok(undefined);
    },
    discard: async () => {},
    isKnown: () => false,
    secondsLeft: () => limitSeconds - ports.nowSeconds,
    isCancelled: () => ports.cancelled,
  };
  const ask = (what: string) => {
    ports.asked.push(what);
    ports.cancelled ||= ports.asked.length > cancelAfter;
  };
  return ports;
}
