import type { Problem } from '../core/problem.ts';
import type { OutputCheckReport } from './output-check.ts';
import type { SutCapacity } from './round.ts';
import type { RoundResult } from './round-result.ts';
import type { WarmUpResult } from './steady-state.ts';

/** What was benchmarked, as the caller names it. */
export interface SutIdentity {
  readonly model: string;
  readonly variant: string;
  readonly device: 'cpu' | 'webgpu' | 'cuda' | 'tensorrt';
  /** The execution provider, as ONNX Runtime names it. */
  readonly provider: string;
  /** Intra-op threads; null where the runtime chose. */
  readonly threads: number | null;
}

/** A system that is loaded, its feeds built. */
export interface LoadedSut extends SutCapacity {
  readonly laneCount: number;
  /** From the start of its process until every lane had its session; building feeds is left out. */
  readonly loadSeconds: number;
}

/** What the process of a system under test used over its whole life, loading and warm-up included. */
export interface SutUsage {
  readonly peakRssBytes: number;
  readonly cpuSeconds: number;
  /** Outputs that were kept while it was measured, against those of a session that was not. */
  readonly outputCheck: OutputCheckReport;
}

/** What came back from one variant, whole or cut short. */
export interface VariantRecord {
  readonly identity: SutIdentity;
  readonly loaded: LoadedSut | null;
  readonly warmUp: WarmUpResult | null;
  readonly rounds: readonly RoundResult[];
  readonly usage: SutUsage | null;
  /** Why it ended early. */
  readonly failure: Problem | null;
}
