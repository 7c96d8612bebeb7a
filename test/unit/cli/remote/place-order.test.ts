import { describe, expect, it } from 'vitest';
import { type OrderContext, placeOrder } from '../../../../src/cli/remote/place-order.ts';
import type { Client, ClientResult, Run, RunEvent } from '../../../../src/client/client.ts';
import type { JobProgress } from '../../../../src/jobs/worker-protocol.ts';
import { capturedTerminal } from '../../../support/captured-terminal.ts';
import { benchResultOf, evaluationOf, pipelineResultOf } from '../../../support/pipeline-result.ts';
import { ID } from '../../../support/server.ts';

function runOf(state: Run['state'], more: object = {}): Run {
  return {
    ...{ id: ID, kind: 'bench', model: 'tiny', state, href: `/bench/${ID}`, request: {} },
    ...{ priority: 'normal', attempt: 1, createdAt: '2026-01-01T00:00:00.000Z' },
    ...more,
  } as Run;
}

const done = (kind: Run['kind'], result = pipelineResultOf()) => runOf('succeeded', { kind, result });
const refused = (kind: string, message = 'no') => ({ ok: false, error: { kind, message } }) as const;

/** Orders at a daemon whose run ends so. */
async function placed(
  ends: Run | Exclude<ClientResult<Run>, { ok: true }>,
  {
    events = [],
    signal = new AbortController().signal,
    cancelRun = async () => refused('unknown-run'),
    ...more
  }: Partial<Omit<OrderContext, 'client'>> & {
    readonly events?: readonly RunEvent[];
    readonly cancelRun?: Client['cancelRun'];
  } = {},
) {
  const { terminal, out, err } = capturedTerminal();
  const seen: JobProgress[] = [];
  const client: OrderContext['client'] = {
    cancelRun,
    follow: async (_id, { onEvent } = {}) => {
      for (const event of events) onEvent?.(event);
      return 'ok' in ends ? ends : { ok: true, value: ends };
    },
  };
  const code = await placeOrder(async () => ({ ok: true, value: runOf('queued', { queuePosition: 2 }) }), {
    ...{ client, terminal, signal, json: false, quiet: false },
    progress: { update: (progress) => void seen.push(progress), stop: () => {} },
    ...more,
  });
  return { code, out: out(), err: err(), seen };
}

describe('placeOrder', () => {
  it('shows how far the run is, and prints what came of it', async () => {
    const progress = { phase: 'bench', done: 1, total: 3, unit: 'turns' } as const;
    const waiting = { kind: 'state', run: runOf('running', { waitingFor: 'another' }) } as const;
    const anew = runOf('running', { attempt: 2, earlierProblem: { kind: 'x', message: 'it crashed' } });
    const events: RunEvent[] = [
      waiting,
      waiting,
      { kind: 'progress', progress },
      { kind: 'state', run: anew },
    ];
    const { code, out, err, seen } = await placed(done('bench'), { events });
    expect(code).toBe(0);
    expect(seen).toEqual([progress]);
    expect(err).toBe(`run ${ID}, 2 before it in the queue\nwaiting: another\nbegun anew: it crashed\n`);
    expect(out).toMatch(/^int8 +300 B +90.00 % .* 2.00x \[1.90, 2.10\] +non_inferior$/m);
    expect(out).toMatch(new RegExp(`^run +http://127.0.0.1:9477/bench/${ID}$`, 'm'));
    expect(out).not.toContain('where to look');
  });

  it('is quiet when asked to, and prints the run alone as JSON', async () => {
    const { out, err } = await placed(done('bench'), { json: true, quiet: true });
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({ id: ID, state: 'succeeded', result: { model: 'tiny' } });
  });

  it('does not wait when detached', async () => {
    expect(await placed(refused('not-asked'), { detach: true })).toMatchObject({ code: 0, out: `${ID}\n` });
    const { out } = await placed(refused('not-asked'), { detach: true, json: true });
    expect(JSON.parse(out)).toMatchObject({ id: ID, state: 'queued' });
  });

  it('fails where a verdict does', async () => {
    const [fp32] = pipelineResultOf().variants;
    const variants = (more: object) =>
      [{ ...fp32, ...more }] as ReturnType<typeof pipelineResultOf>['variants'];
    const with_ = (more: object) => pipelineResultOf({ variants: variants(more) });
    const regressed = with_({ evaluation: evaluationOf({ verdict: 'regressed' }) });
    const inconclusive = with_({ evaluation: evaluationOf({ verdict: 'inconclusive' }) });
    const invalid = with_({ bench: [benchResultOf('fp32', { valid: false, invalidReasons: ['busy'] })] });
    expect((await placed(done('evaluate', regressed))).code).toBe(1);
    expect((await placed(done('evaluate', inconclusive))).code).toBe(0);
    expect((await placed(done('bench', invalid))).code).toBe(1);
    // A run of everything is judged by its verdicts, here as there.
    expect((await placed(done('pipeline', invalid))).code).toBe(0);
  });

  it.each<[Run['state'], string | undefined, number]>([
    ['failed', 'bad-sample', 2],
    ['failed', 'worker-crashed', 3],
    ['expired', 'deadline-exceeded', 2],
    ['interrupted', 'interrupted', 3],
    ['cancelled', undefined, 130],
  ])('tells of a run that is %s (%s) with exit code %i', async (state, kind, expected) => {
    const problem = kind === undefined ? {} : { problem: { kind, message: 'the reason', hint: 'help' } };
    const { code, out, err } = await placed(runOf(state, problem));
    expect(code).toBe(expected);
    expect(out).toBe('');
    expect(err).toContain(
      `error: run ${ID} is ${state}${kind === undefined ? '' : ': the reason'} [${kind ?? state}]`,
    );
  });

  it('prints what the daemon refuses, field by field', async () => {
    const { terminal, err } = capturedTerminal();
    const { client, progress, signal } = {
      client: {} as OrderContext['client'],
      progress: { update: () => {}, stop: () => {} },
      signal: new AbortController().signal,
    };
    const details = {
      ...{ type: '/problems/invalid-request', title: 'Invalid request', status: 400, detail: 'two fields' },
      errors: [{ pointer: '/threads', detail: 'must be <= 1024' }],
    };
    const error = { kind: 'invalid-request', message: 'two fields', status: 400, details };
    const context = { client, progress, signal, terminal, json: false, quiet: false };
    expect(await placeOrder(async () => ({ ok: false, error }), context)).toBe(2);
    expect(err()).toBe('error: must be <= 1024 [invalid-request]\n  field: /threads\n');
    expect(await placeOrder(async () => refused('unauthorized', 'a token'), context)).toBe(2);
    expect(err()).toContain('--token-file');
    expect(await placeOrder(async () => refused('internal-fault'), context)).toBe(3);
  });

  it('cancels the run at Ctrl-C, and says so where the daemon does not', async () => {
    const cancelled: string[] = [];
    const cancelRun = (answer: Awaited<ReturnType<Client['cancelRun']>>) => async (id: string) => {
      cancelled.push(id);
      return answer;
    };
    const signal = AbortSignal.abort();
    const ok = { ok: true, value: runOf('cancelled') } as const;
    expect(await placed(runOf('cancelled'), { signal, cancelRun: cancelRun(ok) })).toMatchObject({
      code: 130,
    });
    const late = await placed(done('quantize'), { signal, cancelRun: cancelRun(refused('run-ended')) });
    expect(late).toMatchObject({ code: 0, err: expect.not.stringContaining('error') });
    const gone = refused('daemon-unreachable', 'gone');
    const lost = await placed(gone, { signal, cancelRun: cancelRun(gone) });
    expect(lost).toMatchObject({ code: 2, err: expect.stringContaining(`ptq-agent runs show ${ID}`) });
    expect(cancelled).toEqual([ID, ID, ID]);
  });
});
