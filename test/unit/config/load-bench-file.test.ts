import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchFileJsonSchema } from '../../../src/config/bench-file-schema.ts';
import { loadBenchFile } from '../../../src/config/load-bench-file.ts';
import { benchFileOf, suiteRunOf } from '../../support/bench-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const PUBLISHED = join(import.meta.dirname, '../../../profiles/bench-result.schema.json');

async function problemOf(text: string) {
  const file = join(temporaryFolder(), 'r.json');
  writeFileSync(file, text);
  const result = await loadBenchFile(file);
  if (result.ok) throw new Error('expected a problem');
  expect(result.error.place?.file).toBe(file);
  return result.error;
}

describe('the published JSON Schema of results', () => {
  it('is the one that results are read with (UPDATE_GOLDEN=1 writes it)', () => {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PUBLISHED, benchFileJsonSchema);
    expect(readFileSync(PUBLISHED, 'utf8')).toBe(benchFileJsonSchema);
  });
});

describe('loadBenchFile', () => {
  it('reads what a benchmark wrote, of schedules as well as loops', async () => {
    const services = { a: (run: number) => 1e6 + run, b: () => 2e6 };
    const file = await benchFileOf([
      await suiteRunOf(services),
      await suiteRunOf(
        services,
        { scenario: 'server', ratePerSecond: 100 },
        { suite: 'nightly', name: 'busy' },
      ),
    ]);
    expect(file.measurements).toMatchObject([
      {
        suite: null,
        name: 'single-stream',
        settings: { rounds: 24, processes: 6 },
        results: [{ variant: 'a' }, { variant: 'b' }],
      },
      { suite: 'nightly', name: 'busy', settings: { scenario: 'server' } },
    ]);
    expect(file.measurements[1]?.results[0]?.serviceTimeSeconds?.p50).toBeCloseTo(0.001, 4);
    expect(file.measurements[0]?.results[0]?.roundPercentiles).toHaveLength(24);
  });

  it('reads results of versions that did not tell the memory of GPUs and of the arena', async () => {
    const known = await benchFileOf([await suiteRunOf({ a: () => 1e6 })]);
    const path = join(temporaryFolder(), 'r.json');
    const old = JSON.parse(JSON.stringify(known)) as typeof known & {
      measurements: { results: Record<string, unknown>[] }[];
    };
    const result = old.measurements[0]?.results[0] as Record<string, unknown>;
    expect(result).toMatchObject({ peakGpuMemoryBytes: null, arenaBytes: null });
    delete result['peakGpuMemoryBytes'];
    delete result['arenaBytes'];
    writeFileSync(path, JSON.stringify(old));
    const read = unwrap(await loadBenchFile(path));
    expect(read.measurements[0]?.results[0]?.peakGpuMemoryBytes).toBeUndefined();
    writeFileSync(path, JSON.stringify(old).replace('"peakRssBytes"', '"arenaBytes":"much","peakRssBytes"'));
    expect(await loadBenchFile(path)).toMatchObject({
      ok: false,
      error: { place: { field: expect.stringContaining('arenaBytes') } },
    });
  });

  it('takes fields that it does not know', async () => {
    const known = await benchFileOf([await suiteRunOf({ a: () => 1e6 })]);
    const path = join(temporaryFolder(), 'r.json');
    writeFileSync(path, JSON.stringify({ ...known, weather: 'fine' }));
    expect(await loadBenchFile(path)).toMatchObject({ ok: true });
  });

  it('says what a file is that is no result', async () => {
    expect(await problemOf('model  queries')).toMatchObject({
      kind: 'not-a-bench-file',
      message: expect.stringContaining('it is no JSON'),
    });
    expect(await problemOf('[]')).toMatchObject({
      kind: 'not-a-bench-file',
      hint: expect.stringContaining('--json prints has no rounds'),
    });
    expect(await problemOf('null')).toMatchObject({ kind: 'not-a-bench-file' });
    const other = await problemOf(JSON.stringify({ format: 'ptq-agent-bench', version: 2 }));
    expect(other.message).toContain('version 2 of the format, and this program reads version 1');
    expect(await loadBenchFile('/none.json')).toMatchObject({
      ok: false,
      error: { kind: 'file-unreadable' },
    });
  });

  it('points at the field that is wrong', async () => {
    const known = await benchFileOf([await suiteRunOf({ a: () => 1e6 })]);
    const problem = await problemOf(JSON.stringify({ ...known, created: 7 }));
    expect(problem).toMatchObject({ place: { field: '/created' } });
  });
});
