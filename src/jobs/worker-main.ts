import { asError } from '../core/as-error.ts';
import { systemClock } from '../core/clock.ts';
import { ProblemError, problem } from '../core/problem.ts';
import { disableRuntimeTelemetry } from '../runtime/no-telemetry.ts';
import type { OpenSystem } from './system-under-test.ts';
import type { TaskContext } from './task-context.ts';
import { unwrap } from './unwrap.ts';
import type { StopLoad, SutCommand, TraceCommand, WorkerMessage, WorkerTask } from './worker-protocol.ts';

/** Threads, beside this file once it is compiled. */
const LANE_ENTRY = new URL('./lane-main.js', import.meta.url);
const BENCH_LANE_ENTRY = new URL('./bench-lane-main.js', import.meta.url);
const SESSION_ENTRY = new URL('./session-thread-main.js', import.meta.url);

/** The entry of a worker process: takes one task from its parent and goes when the parent goes. */
function main(): void {
  disableRuntimeTelemetry();
  const send = (message: WorkerMessage) => process.send?.(message);
  const context: TaskContext = { clock: systemClock, emit: send, sessionEntry: SESSION_ENTRY };
  let system: OpenSystem | undefined;
  // What comes before the system is loaded.
  const traceCommands: TraceCommand[] = [];

  const perform = async (request: WorkerTask | SutCommand): Promise<unknown> => {
    if ('verb' in request) {
      if (system === undefined) throw new Error('a command came before the system under test was there');
      return unwrap(await system.obey(request));
    }
    // A worker does one task, and most of the time that it takes to start goes into loading modules.
    switch (request.kind) {
      case 'digest':
        return (await import('./digest-inputs.ts')).digestInputs(request);
      case 'divide-samples':
        return (await import('./search/divide-samples.ts')).divideForSearch(request);
      case 'quantize':
        return (await import('./quantize-model.ts')).quantizeModel(request, context);
      case 'evaluate':
        return (await import('./evaluate-models.ts')).evaluateModels(request, context, LANE_ENTRY);
      case 'explain':
        return (await import('./explain/explain-models.ts')).explainModels(request, context);
      case 'inspect':
        return (await import('./inspect-model.ts')).inspectModel(request);
      case 'timeline':
        return (await import('./timeline-task.ts')).summarizeTimeline(request);
      case 'series':
        return (await import('./series-task.ts')).readSeriesJson(request);
      case 'trace':
        return (await import('./make-trace.ts')).makeTrace(request);
      case 'device-trial':
        return (await import('./device-trial.ts')).tryDevice(request, context);
      case 'confinement-trial':
        return (await import('./confinement/confinement-trial.ts')).tryConfinement(request);
      case 'cold-start':
        return (await import('./measure-cold-start.ts')).measureColdStart(request, context);
      case 'peaks':
        return (await import('./measure-peaks.ts')).measurePeaks(request, context);
      case 'profile-operators':
        return (await import('./profile-operators.ts')).profileOperators(request, context);
      case 'gpu-examination':
        return (await import('./gpu-examination.ts')).examineGpus(request);
      case 'doctor':
        return (await import('./doctor-task.ts')).readHost(request);
      case 'inventory':
        return (await import('./inventory-task.ts')).takeInventory(request, (inventory) =>
          send({ kind: 'inventory', inventory }),
        );
      case 'sut':
        system = await (await import('./system-under-test.ts')).openSystemUnderTest(
          request,
          context,
          BENCH_LANE_ENTRY,
        );
        for (const command of traceCommands.splice(0)) system.trace(command);
        return system.loaded;
    }
  };

  process.on('message', (request: WorkerTask | SutCommand | StopLoad | TraceCommand) => {
    if ('verb' in request && request.verb === 'stop') return system?.stop();
    if ('verb' in request && (request.verb === 'trace' || request.verb === 'end-trace')) {
      if (system === undefined) traceCommands.push(request);
      else system.trace(request);
      return;
    }
    perform(request).then(
      (value) => send({ kind: 'done', value }),
      (error: unknown) => send({ kind: 'failed', problem: asProblem(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}

/** What is not an expected failure is a bug of this program: it is reported as such, its stack goes to stderr for debugging. */
function asProblem(error: unknown) {
  if (error instanceof ProblemError) return error.problem;
  const thrown = asError(error);
  process.stderr.write(`${thrown.stack ?? thrown.message}\n`);
  return problem('internal-fault', `a fault in ptq-agent itself: ${thrown.message}`, {
    hint: 'please report it, with the command and the model if you can',
  });
}

main();
