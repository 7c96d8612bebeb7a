import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { day } from './day.ts';
import { killLoop } from './kill-loop.ts';

const DEFAULT_KILLS = 500;
const DEFAULT_RUNS = 96;

const USAGE = `usage: npm run torture -- kill [--kills ${DEFAULT_KILLS}] [--seed N]
       npm run torture -- day [--runs ${DEFAULT_RUNS}]`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kills: { type: 'string' }, seed: { type: 'string' }, runs: { type: 'string' } },
  });
  const [what] = positionals;
  if (what !== 'kill' && what !== 'day') {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'ptq-torture-'));
  const onProgress = (line: string) => console.error(line);
  const seed = Number(values.seed ?? Date.now() % 1e6);
  console.error(what === 'kill' ? `seed ${seed}, in ${folder}` : `in ${folder}`);
  const report =
    what === 'kill'
      ? await killLoop({ kills: Number(values.kills ?? DEFAULT_KILLS), seed, folder, onProgress })
      : await day({ runs: Number(values.runs ?? DEFAULT_RUNS), folder, onProgress });
  console.log(JSON.stringify(report, null, 2));
  // What went wrong is looked into where it happened.
  if ('wrong' in report && report.wrong.length > 0) process.exitCode = 1;
  else rmSync(folder, { recursive: true, force: true });
}

await main();
