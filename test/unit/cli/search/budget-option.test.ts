import { describe, expect, it } from 'vitest';
import { parseBudget } from '../../../../src/cli/search/budget-option.ts';
import { latencyGoal, sizeGoal } from '../../../../src/cli/search/goal-option.ts';
import { resolveTask } from '../../../../src/config/task.ts';

const CLASSES = resolveTask('classification', '/');
const NUMBERS = resolveTask('regression', '/');

describe('--budget', () => {
  it.each([
    ['top1>=-1pt', { metric: 'top1', absolute: 0.01 }],
    ['top1 >= -0.5%', { metric: 'top1', relative: 0.005 }],
    ['top5>=−2pt', { metric: 'top5', absolute: 0.02 }],
    ['top1>=-0.01', { metric: 'top1', absolute: 0.01 }],
    ['top1>=0', { metric: 'top1', absolute: 0 }],
    ['agreement>=99%', { metric: 'agreement', absolute: 0.01 }],
    ['agreement>=0.97', { metric: 'agreement', absolute: 0.03 }],
    ['agreement>=-1pt', { metric: 'agreement', absolute: 0.01 }],
    ['sqnr_db>=25', { metric: 'sqnr_db', atLeast: 25 }],
    ['sqnr_db>=25.5dB', { metric: 'sqnr_db', atLeast: 25.5 }],
  ])('reads %s', (text, budget) => {
    expect(parseBudget(text, CLASSES)).toEqual({ ok: true, value: budget });
  });

  it('reads budgets of metrics of which less is better', () => {
    expect(parseBudget('mae<=+0.25', NUMBERS)).toEqual({
      ok: true,
      value: { metric: 'mae', absolute: 0.25 },
    });
    expect(parseBudget('rmse<=+2%', NUMBERS)).toEqual({
      ok: true,
      value: { metric: 'rmse', relative: 0.02 },
    });
  });

  it.each([
    ['top1', /cannot be read/, /top1>=-1pt/],
    ['', /cannot be read/, /top1>=-1pt/],
    ['top1>=-1 points', /cannot be read/, /top1>=-1pt/],
    ['topp1>=-1pt', /has no metric 'topp1'/, /did you mean 'top1'/],
    ['bleu>=-1pt', /has no metric 'bleu'/, /it has top1, top5/],
    ['top1<=+1pt', /more is better/, /"top1>=-1pt"/],
    ['top1>=75%', /more is better/, /"top1>=-1pt"/],
    ['agreement>=101%', /at most 100 %/, /agreement>=99%/],
    ['sqnr_db>=-3', /cannot be read/, /sqnr_db>=25/],
    ['top1>=-1dB', /not measured in dB/, /top1>=-1pt/],
  ])('refuses %s and says what would do', (text, message, hint) => {
    const parsed = parseBudget(text, CLASSES);
    expect(parsed).toMatchObject({ ok: false, error: { kind: 'bad-usage' } });
    if (parsed.ok) return;
    expect(parsed.error.message).toMatch(message);
    expect(parsed.error.hint).toMatch(hint);
  });
});

describe('goals', () => {
  it('are times and sizes, or shares of what float32 has', () => {
    expect(latencyGoal('5ms')).toEqual({ kind: 'absolute', value: 0.005 });
    expect(latencyGoal('0.5x')).toEqual({ kind: 'relative', ratio: 0.5 });
    expect(latencyGoal('40%')).toEqual({ kind: 'relative', ratio: 0.4 });
    expect(sizeGoal('2MiB')).toEqual({ kind: 'absolute', value: 2 * 2 ** 20 });
    expect(sizeGoal('1.5 MB')).toEqual({ kind: 'absolute', value: 1_500_000 });
    expect(sizeGoal('0.3x')).toEqual({ kind: 'relative', ratio: 0.3 });
  });

  it.each(['', '0ms', '0x', '-5ms', 'fast', '5', '3MiB'])('refuses the latency %j', (text) => {
    expect(() => latencyGoal(text)).toThrow(/expected a latency/);
  });

  it.each(['', '0MiB', '0x', 'small', '5', '3ms', '2mib'])('refuses the size %j', (text) => {
    expect(() => sizeGoal(text)).toThrow(/expected a size/);
  });
});
