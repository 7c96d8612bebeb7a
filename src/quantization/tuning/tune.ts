import { type Clock, secondsBetween } from '../../core/clock.ts';
import type { Draft } from './draft.ts';
import { isSureGain } from './sure-gain.ts';
import type { TuningPass, TuningTools } from './tuning-pass.ts';

/** What became of one pass. */
export interface PassReport {
  readonly pass: string;
  readonly changed: number;
  /** False where what it made was not surely more accurate than what it was given, and where it changed nothing. */
  readonly kept: boolean;
  /** Output SQNR of what it made, on the samples to judge by; absent where it changed nothing. */
  readonly sqnrDb?: number;
  readonly reason: string;
  readonly seconds: number;
}

/** Why what is better is undone all the same. */
const BY_CHANCE = 'the gain is no larger than what these samples vary by';

async function isSure(before: Draft, after: Draft, { noiseShares }: TuningTools): Promise<boolean> {
  return isSureGain(await noiseShares(before), await noiseShares(after));
}

export interface TuningReport {
  /** Samples to learn from, and samples to judge by; no sample is both. */
  readonly samples: { readonly learn: number; readonly judge: number };
  /** Output SQNR on the samples to judge by. */
  readonly sqnrDb: { readonly before: number; readonly after: number };
  readonly passes: readonly PassReport[];
  /**
   * Ranges that were found once more after the last pass, on all samples; what is written is not judged again. Absent where
   * there is a goal, which what is written has been seen to reach or to miss.
   */
  readonly rangesOfAll?: number;
  readonly seconds: number;
}

/**
 * Runs the passes one after another. Each gets what the ones before it have made; what it makes is kept only if the
 * output SQNR on the samples to judge by gets better, by more than could be chance.
 * @param onPass told before each pass how many are done
 */
export async function runPasses(
  draft: Draft,
  passes: readonly TuningPass[],
  tools: TuningTools,
  { clock, onPass }: { readonly clock: Clock; readonly onPass?: (done: number, pass: string) => void },
): Promise<{ readonly draft: Draft; readonly report: Omit<TuningReport, 'samples'> }> {
  const startNs = clock.nowNs();
  const before = await tools.judge(draft);
  const reports: PassReport[] = [];
  let best = { draft, sqnrDb: before };
  for (const { name, run } of passes) {
    onPass?.(reports.length, name);
    const passNs = clock.nowNs();
    const step = await run(best.draft, tools);
    const sqnrDb = step.draft === undefined ? undefined : await tools.judge(step.draft);
    const isBetter = sqnrDb !== undefined && sqnrDb > best.sqnrDb;
    const kept = isBetter && step.draft !== undefined && (await isSure(best.draft, step.draft, tools));
    reports.push({
      pass: name,
      changed: step.changed,
      kept,
      ...(sqnrDb === undefined ? {} : { sqnrDb }),
      reason: isBetter && !kept ? `${step.reason}; ${BY_CHANCE}` : step.reason,
      seconds: secondsBetween(passNs, clock.nowNs()),
    });
    if (step.draft !== undefined && sqnrDb !== undefined && kept) best = { draft: step.draft, sqnrDb };
  }
  return {
    draft: best.draft,
    report: {
      sqnrDb: { before, after: best.sqnrDb },
      passes: reports,
      seconds: secondsBetween(startNs, clock.nowNs()),
    },
  };
}
