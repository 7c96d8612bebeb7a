import type { LoadGenerator } from '../benchmark/load-generator.ts';
import { runTracedPass } from '../benchmark/traced-pass.ts';
import type { TracedPass } from '../benchmark/variant-record.ts';
import { systemClock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { TracePart } from '../trace/trace-part.ts';
import type { BenchLane } from './bench-lane.ts';
import type { TracedPassOrder, TraceSpool } from './trace-orders.ts';
import type { TraceCommand, WorkerEvent } from './worker-protocol.ts';

/** All lanes of a system, as one thing to trace. */
export interface TracedSystem {
  /** Obeys in the order of the calls, and tells by events. */
  obey(command: TraceCommand): void;
  pass(order: TracedPassOrder, generator: LoadGenerator): Promise<TracedPass>;
}

export function createTracedSystem(
  lanes: readonly BenchLane[],
  emit: (event: WorkerEvent) => void,
): TracedSystem {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
  return {
    obey: (command) => {
      void inTurn(async () => {
        if (command.verb === 'end-trace') {
          const ended = await end(lanes);
          emit(ended.ok ? { kind: 'traced', parts: ended.value } : notTraced(ended.error));
        } else {
          const begun = await begin(lanes, command.spool, true);
          emit(begun.ok ? { kind: 'trace-begun', extraRssBytes: begun.value } : notTraced(begun.error));
        }
      });
    },
    pass: (order, generator) => inTurn(() => tracedPass(order, lanes, generator, emit)),
  };
}

/** A trace that fails is no failure of the system. */
async function tracedPass(
  { spec, spool }: TracedPassOrder,
  lanes: readonly BenchLane[],
  generator: LoadGenerator,
  emit: (event: WorkerEvent) => void,
): Promise<TracedPass> {
  const begun = await begin(lanes, spool, false);
  if (!begun.ok) return { cost: null, extraRssBytes: null, problem: begun.error };
  const cost = await runTracedPass(generator, spec, {
    switchTracing: (on) => {
      for (const lane of lanes) lane.switchTracing(on);
    },
    onAlive: () => emit({ kind: 'alive' }),
    clock: systemClock,
  });
  const ended = await end(lanes);
  const problem = [cost, ended].flatMap((each) => (each.ok ? [] : [each.error]))[0];
  return {
    cost: cost.ok ? cost.value : null,
    extraRssBytes: begun.value,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** How much more memory is resident then. Where one lane cannot, none does. */
async function begin(
  lanes: readonly BenchLane[],
  spool: TraceSpool,
  atOnce: boolean,
): Promise<Result<number | null, Problem>> {
  const beforeBytes = process.memoryUsage.rss();
  const answers = await Promise.all(
    lanes.map((lane, index) => {
      const thread = lanes.length === 1 ? spool.thread : `${spool.thread}, lane ${index + 1}`;
      return lane.trace({ kind: 'begin', spool: { ...spool, thread }, atOnce });
    }),
  );
  const failed = answers.find((answer) => !answer.ok);
  if (failed?.ok === false) {
    // Those that are at another trace already would lose it.
    if (failed.error.kind !== 'traced-already') await end(lanes);
    return failed;
  }
  return ok(Math.max(0, process.memoryUsage.rss() - beforeBytes));
}

async function end(lanes: readonly BenchLane[]): Promise<Result<readonly TracePart[], Problem>> {
  const answers = await Promise.all(lanes.map((lane) => lane.trace({ kind: 'end' })));
  const failed = answers.find((answer) => !answer.ok);
  if (failed?.ok === false) return err(failed.error);
  return ok(answers.flatMap((answer) => (answer.ok && answer.value !== null ? [answer.value] : [])));
}

function notTraced(problem: Problem): WorkerEvent {
  return { kind: 'traced', parts: [], problem };
}
