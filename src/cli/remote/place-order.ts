import type { Client, ClientResult, Run, RunEvent, RunSummary } from '../../client/client.ts';
import type { ProgressView } from '../progress-view.ts';
import { printProblems, type Terminal } from '../terminal.ts';
import { problemsOfClient } from './problem-of-client.ts';
import { exitCodeOfRun, printRun } from './run-outcome.ts';

/** How an order is followed and its end told. */
export interface OrderContext {
  readonly client: Pick<Client, 'follow' | 'cancelRun'>;
  readonly terminal: Terminal;
  readonly progress: ProgressView;
  /** Fires when the user wants the run to end. */
  readonly signal: AbortSignal;
  readonly detach?: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Where the daemon is. */
  readonly agent?: URL;
  /** Prints more about a run that succeeded, for people. Returns the exit code. */
  readonly tellMore?: (run: Run) => Promise<number>;
}

/** Orders a run, shows how far it is, and prints what came of it. Cancels it where the signal fires. Returns the exit code. */
export async function placeOrder(
  order: () => Promise<ClientResult<Run>>,
  context: OrderContext,
): Promise<number> {
  const { client, terminal, progress, signal, detach, json, quiet } = context;
  const ordered = await order();
  if (!ordered.ok) return printProblems(terminal, problemsOfClient(ordered.error));
  const { id } = ordered.value;
  if (detach === true) {
    if (json) printRun(ordered.value, context);
    else terminal.stdout.write(`${id}\n`);
    return 0;
  }
  const note = (line: string) => {
    if (!quiet) terminal.stderr.write(`${line}\n`);
  };
  note(`run ${id}${positionText(ordered.value)}`);
  const cancel = async () => {
    terminal.stderr.write(`the run is being cancelled; Ctrl-C again leaves it\n`);
    const cancelled = await client.cancelRun(id);
    // One that ended meanwhile is told as it ended.
    if (!cancelled.ok && cancelled.error.kind !== 'run-ended')
      printProblems(terminal, problemsOfClient(cancelled.error));
  };
  const onAbort = () => void cancel();
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const ended = await client.follow(id, { onEvent: eventNotes(progress, note) });
  signal.removeEventListener('abort', onAbort);
  progress.stop();
  if (!ended.ok) {
    note(`the run may go on: ptq-agent runs show ${id}`);
    return printProblems(terminal, problemsOfClient(ended.error));
  }
  printRun(ended.value, context);
  const code = exitCodeOfRun(ended.value, terminal);
  return code === 0 && !json ? ((await context.tellMore?.(ended.value)) ?? code) : code;
}

function positionText({ queuePosition = 0 }: RunSummary): string {
  return queuePosition === 0 ? '' : `, ${queuePosition} before it in the queue`;
}

/** Progress goes to its view; of the rest only what is new and worth a line. */
function eventNotes(progress: ProgressView, note: (line: string) => void): (event: RunEvent) => void {
  let holder: string | undefined;
  let attempt = 1;
  return (event) => {
    if (event.kind === 'progress') {
      progress.update(event.progress);
      return;
    }
    const { run } = event;
    if (run.waitingFor !== undefined && run.waitingFor !== holder) note(`waiting: ${run.waitingFor}`);
    holder = run.waitingFor;
    if (run.attempt > attempt) note(`begun anew: ${run.earlierProblem?.message ?? 'its worker ended'}`);
    attempt = run.attempt;
  };
}
