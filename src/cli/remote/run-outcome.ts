import type { Run, RunProgress } from '../../client/client.ts';
import { formatProblem, type Problem, problem } from '../../core/problem.ts';
import { isEnded } from '../../core/run-terms.ts';
import { formatSeconds } from '../../core/units.ts';
import type { PipelineResult } from '../../jobs/pipeline.ts';
import { EXIT } from '../exit-code.ts';
import { renderFindings } from '../run-report.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { hasFailed } from '../verdict-exit.ts';
import { type AgentOptions, DEFAULT_AGENT } from './agent-options.ts';

/** Prints a run: with `--json` as the daemon shows it, otherwise its findings as a run of this host tells them. */
export function printRun(
  run: Run,
  { terminal, json, agent }: { readonly terminal: Terminal; readonly json: boolean; readonly agent?: URL },
): void {
  if (json || run.result !== undefined)
    printResult(terminal, run, json, () => {
      const where = `run      ${new URL(run.href, agent ?? DEFAULT_AGENT)}`;
      return [findingsOf(run), '', where].join('\n');
    });
}

/** What the process tells its caller of a run that is over; what went wrong is printed. */
export function exitCodeOfRun(run: Run, terminal: Terminal): number {
  if (run.state !== 'succeeded') {
    const code = printProblems(terminal, [endOf(run)]);
    // The daemon ended under it, which no order is to blame for.
    return run.state === 'interrupted' ? EXIT.fault : code;
  }
  const isOfThisForm = Array.isArray((run.result as { readonly variants?: unknown } | undefined)?.variants);
  if (!isOfThisForm) return printProblems(terminal, [notOfThisForm(run)]);
  const { variants } = resultOf(run);
  const hasRegressed = variants.some(({ evaluation }) => evaluation !== undefined && hasFailed(evaluation));
  const isInvalid = run.kind === 'bench' && variants.some(({ bench }) => bench.some(({ valid }) => !valid));
  return hasRegressed || isInvalid ? EXIT.verdictFailed : EXIT.done;
}

/** Why a run did not come to its result. */
function endOf({ id, state, problem: reason }: Pick<Run, 'id' | 'state' | 'problem'>): Problem {
  return problem(
    reason?.kind ?? state,
    `run ${id} is ${state}${reason === undefined ? '' : `: ${reason.message}`}`,
    {
      ...(reason?.hint === undefined ? {} : { hint: reason.hint }),
    },
  );
}

/** A run, whatever has become of it so far. */
export function renderRunResource(run: Run, { agent = DEFAULT_AGENT }: AgentOptions): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['run', new URL(run.href, agent).href],
    ['what', `${run.kind} of ${run.model}, ${run.priority}`],
    ['state', `${run.state}${run.attempt > 1 ? `, attempt ${run.attempt}` : ''}`],
    ['ordered', run.createdAt],
    ['begun', run.startedAt],
    ['ended', run.finishedAt],
    ['deadline', isEnded(run) ? undefined : run.deadlineAt],
    ['turn', run.queuePosition === undefined ? undefined : `${run.queuePosition} before it in the queue`],
    ['waits for', run.waitingFor],
    ['does', run.progress === undefined ? undefined : progressText(run.progress)],
    ['left', run.etaSeconds === undefined ? undefined : `about ${formatSeconds(run.etaSeconds)}`],
    ['why', run.problem?.message],
    ['before', run.earlierProblem?.message],
  ];
  const lines = rows.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(10)}${text}`]));
  return [...lines, ...(run.result === undefined ? [] : [findingsOf(run)])].join('\n');
}

export function progressText({ phase, subject, done, total, unit }: RunProgress): string {
  const what = subject === undefined ? phase : `${phase} ${subject}`;
  return `${what}: ${done}${total === undefined ? '' : ` of ${total}`} ${unit}`;
}

/** A daemon of another version may have results of another form, about which this one cannot say more. */
function findingsOf(run: Run): string {
  try {
    return renderFindings(resultOf(run));
  } catch {
    return `findings  ${formatProblem(notOfThisForm(run))}`;
  }
}

function notOfThisForm({ id }: Run): Problem {
  return problem(
    'result-not-understood',
    `the result of run ${id} has a form that this version does not know`,
    {
      hint: 'take it with --json, or use the version that the daemon is of',
    },
  );
}

/** The API describes what results of every version have; a daemon of this one gives all that a run of this host finds. */
function resultOf({ result }: Run): PipelineResult {
  return result as unknown as PipelineResult;
}
