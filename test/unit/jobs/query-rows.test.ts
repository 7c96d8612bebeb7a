import { describe, expect, it } from 'vitest';
import { queryRows } from '../../../src/jobs/query-rows.ts';
import { suiteRunOf } from '../../support/bench-runs.ts';

async function rowsOf(...of: Parameters<typeof suiteRunOf>) {
  const run = await suiteRunOf(...of);
  const [header = '', ...lines] = [...queryRows([run])].join('').trimEnd().split('\n');
  const names = header.split(',');
  const rows = lines.map((line) =>
    Object.fromEntries(line.split(',').map((field, index) => [names[index], field])),
  );
  return { run, rows };
}

describe('queryRows', () => {
  it('has a line for every run of every model and round', async () => {
    const services = { a: () => 1e6, b: () => 2e6 };
    const { run, rows } = await rowsOf(services, { rounds: 2, minQueries: 10, minDurationSeconds: 0.02 });
    const queries = run.run.results.map((result) => result.queries);
    expect(rows.filter(({ variant }) => variant === 'a')).toHaveLength(queries[0] ?? 0);
    expect(rows.filter(({ variant }) => variant === 'b')).toHaveLength(queries[1] ?? 0);
    expect(new Set(rows.map(({ round }) => round))).toEqual(new Set(['0', '1']));
    expect(rows[0]).toMatchObject({ suite: '', measurement: 'single-stream', scenario: 'single-stream' });
  });

  it('tells waiting from work by a schedule that the system cannot keep', async () => {
    const given = {
      scenario: 'constant-rate',
      ratePerSecond: 100,
      rounds: 2,
      minDurationSeconds: 0.1,
      minQueries: 1,
    };
    const { rows } = await rowsOf({ slow: () => 15e6 }, given as { scenario: 'constant-rate' });
    const first = rows.filter(({ round }) => round === '0');
    expect(first.slice(0, 3).map(({ due_ns, start_ns, done_ns }) => [due_ns, start_ns, done_ns])).toEqual([
      ['0', '0', '15000000'],
      ['10000000', '15000000', '30000000'],
      ['20000000', '30000000', '45000000'],
    ]);
    expect(first[2]).toMatchObject({ latency_ns: '25000000', service_ns: '15000000' });
  });

  it('names the samples that the runs really took', async () => {
    const trace = {
      kind: 'trace',
      dueNs: Float64Array.of(0, 1e6, 2e6),
      samples: Uint32Array.of(3, 0, 6),
    } as const;
    const { rows } = await rowsOf({ a: () => 1e5 }, { scenario: 'replay', trace, rounds: 1 });
    expect(rows.map(({ sample }) => sample)).toEqual(['3', '0', '2']);
    const shuffled = await rowsOf({ a: () => 1e6 }, { rounds: 1, minQueries: 8, minDurationSeconds: 0.008 });
    const order = shuffled.rows.map(({ sample }) => Number(sample));
    expect([...order.slice(0, 4)].sort()).toEqual([0, 1, 2, 3]);
    expect(order.slice(4, 8)).toEqual(order.slice(0, 4));
  });

  it('puts names in quotes that would end their field', async () => {
    const run = await suiteRunOf({ 'a,"b".onnx': () => 1e6 }, { rounds: 1, minDurationSeconds: 0.001 });
    expect([...queryRows([run])][1]).toContain(',"a,""b"".onnx",0,0,');
  });
});
