import { type ChildProcess, fork } from 'node:child_process';
import type { SweepJob, SweepMessage } from './sweep-child.ts';
import type { SweepOutcome } from './sweep-model.ts';

/** What one recipe made of one form of one model. */
export interface SweepRow {
  /** `kind/name (form)` */
  readonly subject: string;
  /** `the model itself` where it did not come to a recipe. */
  readonly recipe: string;
  readonly outcome: SweepOutcome;
}

interface SweepSettings {
  readonly processes: number;
  /** A process that says nothing for so long is ended. */
  readonly silenceMs: number;
  /** The program of the processes. */
  readonly entry: URL;
}

const SWEEP_CHILD: SweepSettings = {
  processes: 2,
  silenceMs: 120_000,
  entry: new URL('./sweep-child.ts', import.meta.url),
};

/** Sessions leave some memory behind, so a process is given so many models and no more. */
const JOBS_PER_PROCESS = 150;

/** Takes each job through its recipes in processes of their own. One that ends or hangs is a row, and the rest goes on. */
export async function runSweep(
  jobs: readonly SweepJob[],
  settings: Partial<SweepSettings> = {},
): Promise<readonly SweepRow[]> {
  const all = { ...SWEEP_CHILD, ...settings };
  const batches: SweepJob[][] = [];
  for (let i = 0; i < jobs.length; i += JOBS_PER_PROCESS) batches.push(jobs.slice(i, i + JOBS_PER_PROCESS));
  const rows: SweepRow[] = [];
  const work = async () => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      let left: readonly SweepJob[] = batch;
      while (left.length > 0) left = await runProcess(left, all, (row) => rows.push(row));
    }
  };
  await Promise.all(Array.from({ length: all.processes }, work));
  return rows;
}

/** What is left to do when the process has ended. */
function runProcess(
  jobs: readonly SweepJob[],
  { entry, silenceMs }: SweepSettings,
  tell: (row: SweepRow) => void,
): Promise<readonly SweepJob[]> {
  const child = fork(entry, {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const words = lastWords(child);
  let begun: Extract<SweepMessage, { kind: 'begin' }> = { kind: 'begin', job: 0, recipe: undefined };
  let silence = setTimeout(() => child.kill('SIGKILL'), silenceMs);
  child.on('message', (message: SweepMessage) => {
    clearTimeout(silence);
    silence = setTimeout(() => child.kill('SIGKILL'), silenceMs);
    if (message.kind === 'begin') begun = message;
    else tell({ ...labels(jobs[message.job], message.recipe), outcome: message.outcome });
  });
  child.send(jobs);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(silence);
      if (code === 0) return resolve([]);
      const job = jobs[begun.job] as SweepJob;
      const why = `the process ended with ${code ?? signal}. ${words()}`;
      tell({ ...labels(job, begun.recipe), outcome: { result: 'broken', why } });
      const done = begun.recipe === undefined ? job.recipes.length : job.recipes.indexOf(begun.recipe) + 1;
      const rest = { ...job, recipes: job.recipes.slice(done) };
      resolve([...(rest.recipes.length > 0 ? [rest] : []), ...jobs.slice(begun.job + 1)]);
    });
  });
}

function labels(job: SweepJob | undefined, recipe: string | undefined) {
  const { entry, form } = job as SweepJob;
  return { subject: `${entry.kind}/${entry.name} (${form})`, recipe: recipe ?? 'the model itself' };
}

function lastWords({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-1000);
  });
  return () => text.trim();
}

/** Recipes by outcomes, as Markdown: how many models were written, refused by kind of problem, or broken. */
export function sweepTable(rows: readonly SweepRow[]): string {
  const outcomes = rows.map(({ outcome }) => (outcome.result === 'refused' ? outcome.kind : outcome.result));
  const columns = ['written', 'broken', ...new Set(outcomes)].filter(
    (name, i, all) => all.indexOf(name) === i,
  );
  const recipes = [...new Set(rows.map(({ recipe }) => recipe))].sort();
  const cells = recipes.map((recipe) => {
    const count = (column: string) =>
      rows.filter((row, index) => row.recipe === recipe && outcomes[index] === column).length;
    return [recipe, ...columns.map(count)];
  });
  const line = (parts: readonly (string | number)[]) => `| ${parts.join(' | ')} |\n`;
  return [['recipe', ...columns], ['---', ...columns.map(() => '---')], ...cells].map(line).join('');
}
