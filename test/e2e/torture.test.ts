import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isBuilt } from '../support/program.ts';

const TORTURE = fileURLToPath(new URL('../torture/main.ts', import.meta.url));
const KILLS = 8;

/** In a process of its own, as it takes in all processes that lose their parents. */
function torture(args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', TORTURE, ...args]);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
}

describe.skipIf(!isBuilt)('ptq-agent serve (skipped where `npm run build` was not run)', () => {
  it('loses and leaves nothing when it, its workers and its samplers are killed at random instants', async () => {
    const { code, text } = await torture(['kill', '--kills', String(KILLS), '--seed', '3']);
    expect(code, text).toBe(0);
  }, 400_000);
});
