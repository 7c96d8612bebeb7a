import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { readInventory } from '../../../src/jobs/read-inventory.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** The entry of a worker that does this when it is asked for the inventory. */
function workerThat(script: string): { readonly entry: URL; readonly folder: string } {
  const folder = temporaryFolder();
  const file = join(folder, 'worker.mjs');
  writeFileSync(
    file,
    `import { execSync } from 'node:child_process';
     process.on('message', () => {
       const folder = ${JSON.stringify(folder)};
       const part = (inventory) => process.send({ kind: 'inventory', inventory });
       ${script}
     });`,
  );
  return { entry: pathToFileURL(file), folder };
}

const cpu = { manufacturer: 'a', model: 'b', sockets: 1, physicalCores: 2, logicalCpus: 4 };

describe('readInventory', () => {
  it('gives what the worker found', async () => {
    const { entry } = workerThat(`process.send({ kind: 'done', value: { cpu: ${JSON.stringify(cpu)} } });`);
    expect(await readInventory(entry)).toEqual({ cpu });
  });

  it('gives what was found until a program hung, and ends that program too', async () => {
    const { entry, folder } = workerThat(`
      part({ cpu: ${JSON.stringify(cpu)} });
      setTimeout(() => execSync('echo $$ > ' + folder + '/pid; exec sleep 60'), 50);`);
    expect(await readInventory(entry, { timeoutMs: 1500 })).toEqual({ cpu });
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(pid).toBeGreaterThan(0);
    // Whoever adopts it may leave it a zombie for a while.
    await vi.waitFor(
      () => {
        const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z ';
        expect(stat).toMatch(/\) [ZX] /);
      },
      { timeout: 20_000 },
    );
  });

  it('gives nothing where the worker dies at once, or is told to stop', async () => {
    expect(await readInventory(workerThat('process.exit(3);').entry)).toEqual({});
    const waiting = workerThat('setInterval(() => {}, 1000);').entry;
    expect(await readInventory(waiting, { signal: AbortSignal.timeout(300) })).toEqual({});
    expect(await readInventory(waiting, { signal: AbortSignal.abort() })).toEqual({});
  });
});
