import { compareResults, formatRatio } from '../../benchmark/compare.ts';
import type { SuiteBenchResult } from '../bench-suite.ts';
import type { Confirmation } from '../orders.ts';
import { earlierName, type PipelineResult } from '../pipeline.ts';
import type { Cause } from './causes.ts';
import type { PointFacts } from './point-facts.ts';

/** What a run says that the daemon ordered to see whether a suspicion holds. */
export interface ConfirmationFinding {
  /** As a sentence. */
  readonly reason: string;
  readonly causes: readonly Cause[];
}

/**
 * Tells the model from the host. Both artifacts in turns see the same host, so what is slower then is the artifact; where the file is the very one
 * that was faster before, or the one from before is as slow now, the host or its software changed.
 * @param good what the last figure depended on that was as expected
 */
export function findingOf(
  confirms: Confirmation,
  { variant, bench }: { readonly variant: string; readonly bench: SuiteBenchResult },
  facts: { readonly good: PointFacts | null; readonly now: PointFacts },
  result: Pick<PipelineResult, 'variants'>,
): ConfirmationFinding {
  const earlier = result.variants
    .find((of) => of.variant === earlierName(variant))
    ?.bench.find(({ suite, measurement }) => suite === bench.suite && measurement === bench.measurement);
  if (earlier !== undefined) return besideEarlier(earlier, bench);
  if (isSameFile(confirms.artifacts[variant], facts)) {
    return {
      reason: 'measured anew, and it is the file that it was when it was faster',
      causes: [{ kind: 'host', words: 'the same file was faster before: the host or its software changed' }],
    };
  }
  return {
    reason: 'measured anew; what it was before is not there any more to be measured beside it',
    causes: [],
  };
}

function besideEarlier(earlier: SuiteBenchResult, now: SuiteBenchResult): ConfirmationFinding {
  const speedUp = compareResults(earlier, now);
  const { outcome, ratio, lower, upper } = speedUp;
  const words =
    ratio === null ? 'for too few rounds to tell' : `at ${formatRatio({ ratio, lower, upper })} of its speed`;
  const reason = `measured anew in turns with the artifact that it was before, ${words}`;
  if (outcome === 'slower')
    return {
      reason,
      causes: [{ kind: 'artifact', words: 'in turns on the same host the new artifact is the slower one' }],
    };
  if (outcome === 'too-few-rounds') return { reason, causes: [] };
  const host =
    'in turns on the same host the artifact from before is no faster: the host or its software changed';
  return { reason, causes: [{ kind: 'host', words: host }] };
}

/** Of fp32 there is no artifact: it is the model of the profile. */
function isSameFile(
  hash: string | undefined,
  { good, now }: { readonly good: PointFacts | null; readonly now: PointFacts },
): boolean {
  if (now.artifact !== undefined) return now.artifact === hash;
  return now.model !== undefined && now.model === good?.model;
}
