import type { RoundSpec } from '../benchmark/round.ts';
import type { WarmUpSpec } from '../benchmark/steady-state.ts';
import type { BegunPhase, Phase, PhaseSpan } from '../core/phase.ts';
import type { Problem } from '../core/problem.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import type { TracePart } from '../trace/trace-part.ts';
import type { ColdStartTask } from './cold-start-task.ts';
import type { ConfinementTrialTask } from './confinement/confinement-trial.ts';
import type { DeviceTrialTask } from './device-trial.ts';
import type { DigestTask } from './digest-inputs.ts';
import type { DoctorTask } from './doctor-task.ts';
import type { EvaluateTask } from './evaluate-task.ts';
import type { ExplainTask } from './explain/explain-task.ts';
import type { GpuExaminationTask } from './gpu-examination.ts';
import type { InspectTask } from './inspect-task.ts';
import type { InventoryTask } from './inventory-task.ts';
import type { PeaksTask } from './peaks-task.ts';
import type { ProfileOperatorsTask } from './profile-operators-task.ts';
import type { QuantizeTask } from './quantize-task.ts';
import type { DivideSamplesTask } from './search/divide-samples.ts';
import type { SeriesTask } from './series-task.ts';
import type { SutTask } from './sut-task.ts';
import type { TimelineTask } from './timeline-task.ts';
import type { TracedPassOrder, TraceSpool } from './trace-orders.ts';
import type { TraceTask } from './trace-task.ts';

/** What a worker process is asked to do: one task a process, so that a model can take down nothing but its own job. */
export type WorkerTask =
  | DigestTask
  | DivideSamplesTask
  | QuantizeTask
  | EvaluateTask
  | ExplainTask
  | InspectTask
  | SutTask
  | ColdStartTask
  | PeaksTask
  | ProfileOperatorsTask
  | TimelineTask
  | SeriesTask
  | TraceTask
  | DeviceTrialTask
  | ConfinementTrialTask
  | DoctorTask
  | GpuExaminationTask
  | InventoryTask;

/** How far a phase has come. `total` is absent where it cannot be known. */
export interface JobProgress {
  readonly phase: Phase;
  /** What is worked on, such as a variant. */
  readonly subject?: string;
  readonly done: number;
  readonly total?: number;
  /** What is counted, in the plural. */
  readonly unit: string;
}

/** What a worker tells while it works. */
export type WorkerEvent =
  | { readonly kind: 'phase-begin'; readonly begun: BegunPhase }
  | { readonly kind: 'phase'; readonly span: PhaseSpan }
  | { readonly kind: 'progress'; readonly progress: JobProgress }
  /** Runs of a round that are complete (see `VALUES_PER_RUN`). */
  | { readonly kind: 'runs'; readonly records: Float64Array }
  /** What is known of the host by now. */
  | { readonly kind: 'inventory'; readonly inventory: HostInventory }
  /** Something was completed. */
  | { readonly kind: 'alive' }
  /** Every lane has a traced session and uses it. It takes so much more memory; null where the kernel does not tell. */
  | { readonly kind: 'trace-begun'; readonly extraRssBytes: number | null }
  /** What a trace gave, one part a lane, or why it could not begin or end. */
  | { readonly kind: 'traced'; readonly parts: readonly TracePart[]; readonly problem?: Problem };

/** What a worker sends its parent. Exactly one `done` or `failed` answers a task or a command. */
export type WorkerMessage =
  | WorkerEvent
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** What the parent sends a worker that holds a system under test, after its task was answered. Each is answered. */
export type SutCommand =
  | { readonly verb: 'warm-up'; readonly spec: WarmUpSpec }
  | { readonly verb: 'round'; readonly spec: RoundSpec }
  /** With `trace` a pass that is traced comes after the usage was read and before the checks. */
  | { readonly verb: 'finish'; readonly trace?: TracedPassOrder };

/** Ends the load that a system under test is at. It has no answer of its own. */
export interface StopLoad {
  readonly verb: 'stop';
}

/**
 * Has a system under test trace what it runs, from its next runs on, whatever it is at, until it is told `end-trace`. Told, not asked:
 * the events `trace-begun` and `traced` answer.
 */
export type TraceCommand =
  | { readonly verb: 'trace'; readonly spool: TraceSpool }
  | { readonly verb: 'end-trace' };
