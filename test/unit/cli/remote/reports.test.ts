import { describe, expect, it } from 'vitest';
import { renderModel, renderModels } from '../../../../src/cli/remote/models-report.ts';
import { renderRunList } from '../../../../src/cli/remote/run-list-report.ts';
import { exitCodeOfRun, printRun, renderRunResource } from '../../../../src/cli/remote/run-outcome.ts';
import type { Model, Run } from '../../../../src/client/client.ts';
import { capturedTerminal } from '../../../support/captured-terminal.ts';
import { pipelineResultOf } from '../../../support/pipeline-result.ts';
import { ID } from '../../../support/server.ts';

const run = (more: Partial<Run>): Run => ({
  ...{ id: ID, kind: 'bench', model: 'tiny', state: 'queued', href: `/bench/${ID}`, request: {} },
  ...{ priority: 'high', attempt: 1, createdAt: '2026-01-01T00:00:00.000Z' },
  ...more,
});

describe('renderRunList', () => {
  it('has a line for each run, with what is most worth knowing', () => {
    const startedAt = '2026-01-01T00:00:01.000Z';
    const runs = [
      run({ queuePosition: 2 }),
      run({ state: 'running', startedAt, waitingFor: 'another benchmark' }),
      run({
        state: 'running',
        startedAt,
        progress: { phase: 'bench', subject: 'int8', done: 1, total: 3, unit: 'turns' },
      }),
      run({
        state: 'failed',
        startedAt,
        finishedAt: '2026-01-01T00:00:03.500Z',
        problem: { kind: 'bad-sample', message: '' },
      }),
    ];
    const [, ...lines] = renderRunList(runs).split('\n');
    expect(lines.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      `${ID} tiny bench queued 2026-01-01T00:00:00.000Z – 2 before it`,
      `${ID} tiny bench running 2026-01-01T00:00:00.000Z – waits for another benchmark`,
      `${ID} tiny bench running 2026-01-01T00:00:00.000Z – bench int8: 1 of 3 turns`,
      `${ID} tiny bench failed 2026-01-01T00:00:00.000Z 2.50 s bad-sample`,
    ]);
    expect(renderRunList([])).toBe('there is no such run');
  });
});

describe('renderRunResource', () => {
  it('tells what there is of a run, and its findings', () => {
    const agent = new URL('https://gpu1.example:9477');
    const result = pipelineResultOf() as unknown as NonNullable<Run['result']>;
    const text = renderRunResource(run({ state: 'succeeded', attempt: 2, result }), { agent });
    expect(text.split('\n').slice(0, 4)).toEqual([
      `run       https://gpu1.example:9477/bench/${ID}`,
      'what      bench of tiny, high',
      'state     succeeded, attempt 2',
      'ordered   2026-01-01T00:00:00.000Z',
    ]);
    expect(text).toMatch(/^int8 .* non_inferior$/m);
    const waiting = renderRunResource(run({ queuePosition: 1, etaSeconds: 90 }), {});
    expect(waiting).toContain('turn      1 before it in the queue');
    expect(waiting).toMatch(/^left +about 1 min 30 s$/m);
  });
});

describe('the result of a daemon of another version', () => {
  const strange = run({
    state: 'succeeded',
    result: { outcomes: [] } as unknown as NonNullable<Run['result']>,
  });

  it('is shown as far as it is understood, with the way to all of it', () => {
    const text = renderRunResource(strange, {});
    expect(text).toContain('state     succeeded');
    expect(text).toMatch(/^findings {2}.*has a form that this version does not know[\s\S]*--json/m);
  });

  it('is no success, as nobody knows what was found', () => {
    const { terminal, out, err } = capturedTerminal();
    printRun(strange, { terminal, json: false });
    expect(exitCodeOfRun(strange, terminal)).toBe(2);
    expect([out(), err()]).toEqual([
      expect.stringContaining('--json'),
      expect.stringContaining('[result-not-understood]'),
    ]);
  });
});

describe('renderModels', () => {
  const speed = {
    suite: 'profile',
    measurement: 'm',
    device: 'cpu',
    valid: true,
    p99Seconds: null,
    peakRssBytes: null,
  };
  const model: Model = {
    name: 'tiny',
    task: 'classification',
    href: '/models/tiny',
    variants: [
      {
        variant: 'fp32',
        sizeBytes: 1000,
        bench: [{ ...speed, scenario: 'single-stream', throughput: 10, p50Seconds: 0.1 }],
        speedUps: [],
      },
      {
        variant: 'int8',
        accuracy: {
          ...{ verdict: 'non_inferior', verdictReason: 'as good', n: 50, agreement: 0.98, sqnrDb: 30 },
          figure: { metric: 'top1', value: 0.9, reference: 0.92 },
        },
        bench: [],
        speedUps: [],
      },
    ],
    recommended: { variant: 'int8', reason: 'it is faster' },
    run: { href: `/bench/${ID}`, finishedAt: '2026-01-01T00:00:00.000Z' },
  };

  it('shows variants, verdicts, and which one to use', () => {
    expect(renderModels([model])).toMatchInlineSnapshot(`
      "tiny, classification: last full run 2026-01-01T00:00:00.000Z, /bench/01M83MHX4BNBFSWHZ8PWNPP7QM
      variant    size  judged by  figure  agreement  SQNR dB     p50  samples/s  speed-up  verdict
      fp32     1000 B  –               –          –        –  100 ms         10         –  reference
      int8          –  top1       0.9000    98.00 %     30.0       –          –         –  non_inferior
      int8: as good
      recommended: int8: it is faster"
    `);
  });

  it('says where nothing is known yet', () => {
    const { run: _run, recommended: _recommended, ...fresh } = model;
    expect(renderModel(fresh)).toBe('tiny, classification: no full run has succeeded yet');
    expect(renderModels([])).toBe('no model is registered');
    const { recommended: _none, ...undecided } = model;
    expect(renderModel(undecided)).toMatch(/\nrecommended: none$/);
  });
});
