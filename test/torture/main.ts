import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killLoop } from './kill-loop.ts';

const DEFAULT_KILLS = 500;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kills: { type: 'string' }, seed: { type: 'string' } },
  });
  if (positionals[0] !== 'kill') {
    console.error('usage: npm run torture -- kill [--kills 500] [--seed 1]');
    process.exitCode = 2;
    return;
  }
  const seed = Number(values.seed ?? Date.now() % 1e6);
  const folder = mkdtempSync(join(tmpdir(), 'ptq-torture-'));
  console.error(`seed ${seed}, in ${folder}`);
  const report = await killLoop({
    kills: Number(values.kills ?? DEFAULT_KILLS),
    seed,
    folder,
    onProgress: (line) => console.error(line),
  });
  console.log(JSON.stringify(report, null, 2));
  // What went wrong is looked into where it happened.
  if (report.wrong.length === 0) rmSync(folder, { recursive: true, force: true });
  else process.exitCode = 1;
}

await main();
