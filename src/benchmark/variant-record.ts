import type { Device } from '../core/device.ts';
import type { Problem } from '../core/problem.ts';
import type { EnergyInterval } from './energy.ts';
import type { OutputCheckReport } from './output-check.ts';
import type { SutCapacity } from './round.ts';
import type { RoundResult } from './round-result.ts';
import type { WarmUpResult } from './steady-state.ts';
import type { TraceCost } from './traced-pass.ts';

/** What was benchmarked, as the caller names it. */
export interface SutIdentity {
  readonly model: string;
  readonly variant: string;
  readonly device: Device;
  /** The execution provider, as ONNX Runtime names it. */
  readonly provider: string;
  /** Intra-op threads; null where the runtime chose. */
  readonly threads: number | null;
}

/** A system that is loaded, its feeds built. */
export interface LoadedSut extends SutCapacity {
  readonly laneCount: number;
  /** From the start of its lanes until each had its session: loading the runtime and the model, not building feeds. */
  readonly loadSeconds: number;
  /** What the host drew before the model was loaded; null where nothing counts energy. */
  readonly idleEnergy: EnergyInterval | null;
}

/** What the process of a system under test used over its whole life, loading and warm-up included. */
export interface SutUsage {
  readonly peakRssBytes: number;
  /**
   * The most memory of GPUs that it was seen to hold at once, up to the end of what was measured; null where nobody read the GPUs
   * meanwhile, it was on none, or the driver does not tell whose memory it is.
   */
  readonly peakGpuMemoryBytes: number | null;
  /**
   * What the arena of one session had from the system at most. Of a session that was profiled after all was measured, for two runs of
   * the first feed: the runtime tells it in profiles alone. Null where it does not tell.
   */
  readonly arenaBytes: number | null;
  readonly cpuSeconds: number;
  /** The CPUs that its threads may run on, as a CPU list; null where the kernel does not tell. */
  readonly cpus: string | null;
  /** Null where the runtime gave no profile. */
  readonly placement: ProviderUse | null;
  /** Outputs that were kept while it was measured, against those of a session that was not. */
  readonly outputCheck: OutputCheckReport;
  /** Where it was asked for. */
  readonly trace?: TracedPass;
}

/** What a process can tell of itself: whose the memory of a GPU is, only the driver knows. */
export type OwnUsage = Omit<SutUsage, 'peakGpuMemoryBytes'>;

/** What came of a pass that was traced after all was measured. */
export interface TracedPass {
  /** Null where nothing was traced. */
  readonly cost: TraceCost | null;
  /** Of the session that was traced, beside the one that was measured; null where there was none. */
  readonly extraRssBytes: number | null;
  /** Why there is no trace, or not all of it. */
  readonly problem?: Problem;
}

/** Which providers ran the nodes of the optimized graph, from the runtime's own profile. */
export interface ProviderUse {
  /** Number of nodes by the runtime's name of the provider. */
  readonly nodesByProvider: Readonly<Record<string, number>>;
  /** Nodes with real work that another provider than the device's ran. */
  readonly fellBack: readonly { readonly node: string; readonly op: string; readonly provider: string }[];
  /** The device is the processor under another name, such as a software Vulkan: times say nothing about a GPU. */
  readonly isSoftware: boolean;
}

/** What came back from one variant, whole or cut short. */
export interface VariantRecord {
  readonly identity: SutIdentity;
  readonly loaded: LoadedSut | null;
  readonly warmUp: WarmUpResult | null;
  readonly rounds: readonly RoundResult[];
  readonly usage: SutUsage | null;
  /** Somebody captured a trace while the variants were measured. */
  readonly captured?: boolean;
  /** Why it ended early. */
  readonly failure: Problem | null;
}
