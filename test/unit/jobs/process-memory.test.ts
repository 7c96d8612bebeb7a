import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { peakRssBytes } from '../../../src/jobs/process-memory.ts';

const MODULE = new URL('../../../src/jobs/process-memory.ts', import.meta.url).href;

describe('the peak memory of a process', () => {
  it('grows with what the process touches and does not shrink again', () => {
    const before = peakRssBytes();
    let block: Buffer | undefined = Buffer.alloc(before + 64e6, 1);
    expect(block.length).toBeGreaterThan(before);
    block = undefined;
    expect(peakRssBytes()).toBeGreaterThan(before + 60e6);
  });

  it.skipIf(process.platform !== 'linux')('is its own and not that of its parent (skipped off Linux)', () => {
    const ballast = Buffer.alloc(500e6, 1);
    const script = `import { peakRssBytes } from '${MODULE}'; process.stdout.write(String(peakRssBytes()));`;
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(ballast.length).toBe(500e6);
    expect(child.stderr).toBe('');
    expect(Number(child.stdout)).toBeGreaterThan(1e6);
    expect(Number(child.stdout)).toBeLessThan(400e6);
  });
});
