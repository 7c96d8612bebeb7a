import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SAMPLER = fileURLToPath(new URL('../../src/telemetry/sampler.ts', import.meta.url));

it('a program that waits for its sampler to end does not end before, though something still holds its stderr', () => {
  const folder = temporaryFolder();
  const child = join(folder, 'child.mjs');
  writeFileSync(
    child,
    `import { spawn } from 'node:child_process';
process.on('message', ({ type }) => {
  if (type !== 'stop') return;
  spawn('sleep', ['0.5'], { stdio: ['ignore', 'ignore', 'inherit'] }).unref();
  process.disconnect();
});
`,
  );
  const program = join(folder, 'program.mjs');
  buildSync({
    stdin: {
      contents: `import { startSampler } from ${JSON.stringify(SAMPLER)};
const sampler = startSampler({ entry: new URL(${JSON.stringify(pathToFileURL(child).href)}), intervalMs: 100 });
await sampler.stop();
console.log('stopped');
`,
      resolveDir: folder,
    },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  const { status, stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, 'stopped\n']);
});
