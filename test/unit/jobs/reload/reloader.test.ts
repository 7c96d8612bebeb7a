import { describe, expect, it } from 'vitest';
import { type Problem, problem } from '../../../../src/core/problem.ts';
import { err, ok, type Result } from '../../../../src/core/result.ts';
import { Reloader, type TakenUp } from '../../../../src/jobs/reload/reloader.ts';
import { createMetrics } from '../../../../src/metrics/metrics.ts';

const BAD = problem('invalid-value', '"interval" is "soon"', {
  place: { file: '/etc/agent.yaml', line: 3, field: '/sampler/interval' },
});

function reloading(problems: readonly Problem[] = []) {
  const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
  const log: string[] = [];
  const note = (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void log.push(`${message} ${JSON.stringify(fields)}`);
  const taken: string[] = [];
  let nowMs = 1000;
  let next: Result<string, readonly Problem[]> = ok('second');
  let restartNeeded: readonly string[] = [];
  const reloader = new Reloader<string>(
    {
      load: async () => next,
      takeUp: async (config): Promise<TakenUp> => {
        await new Promise((resolve) => setImmediate(resolve));
        taken.push(config);
        return { models: { added: [config], removed: [], changed: [] }, settings: [], restartNeeded };
      },
      clock: { wallMs: () => nowMs },
      logger: { debug: note, info: note, warn: note, error: note },
      metrics,
    },
    problems,
  );
  return {
    reloader,
    log,
    taken,
    metricsText: async () => (await metrics.render()).body,
    nextIs: (result: Result<string, readonly Problem[]>, restart: readonly string[] = []) => {
      next = result;
      restartNeeded = restart;
      nowMs += 1000;
    },
  };
}

describe('Reloader', () => {
  it('takes up a configuration that is good, and says what changed', async () => {
    const { reloader, taken, log, metricsText } = reloading();
    expect(reloader.status).toMatchObject({ successful: true, trigger: 'start', succeededMs: 1000 });
    const status = await reloader.reload('signal');
    expect(taken).toEqual(['second']);
    expect(status).toMatchObject({
      successful: true,
      trigger: 'signal',
      changes: { models: { added: ['second'] } },
    });
    expect(log.join('\n')).toContain('configuration taken up {"trigger":"signal"');
    expect(await metricsText()).toContain('ptq_config_last_reload_successful 1\n');
    expect(await metricsText()).toContain('ptq_config_last_reload_success_timestamp_seconds 1\n');
  });

  it('leaves everything as it was where something is bad, and says what and where', async () => {
    const { reloader, taken, nextIs, log, metricsText } = reloading();
    nextIs(err([BAD]));
    const status = await reloader.reload('request');
    expect(taken).toEqual([]);
    expect(status).toMatchObject({
      successful: false,
      attemptedMs: 2000,
      succeededMs: 1000,
      problems: [BAD],
    });
    expect(log.at(-1)).toContain('"file":"/etc/agent.yaml","line":3,"field":"/sampler/interval"');
    expect(await metricsText()).toContain('ptq_config_last_reload_successful 0\n');
    expect(await metricsText()).toContain('ptq_config_last_reload_success_timestamp_seconds 1\n');
    nextIs(ok('third'));
    await reloader.reload('files');
    expect(await metricsText()).toContain('ptq_config_last_reload_successful 1\n');
    expect(await metricsText()).toContain('ptq_config_last_reload_success_timestamp_seconds 3\n');
  });

  it('is not successful from the start where a profile was bad then', async () => {
    const { reloader, metricsText } = reloading([BAD]);
    expect(reloader.status).toMatchObject({ successful: false, problems: [BAD] });
    expect(reloader.status).not.toHaveProperty('succeededMs');
    const text = await metricsText();
    expect(text).toContain('ptq_config_last_reload_successful 0\n');
    expect(text).not.toMatch(/^ptq_config_last_reload_success_timestamp_seconds /m);
  });

  it('tells once what it meets again and again by itself, and always whoever asks', async () => {
    const { reloader, nextIs, log } = reloading([BAD]);
    nextIs(err([BAD]));
    await reloader.reload('retry');
    await reloader.reload('retry');
    expect(log).toEqual([]);
    await reloader.reload('signal');
    expect(log).toHaveLength(2);
    nextIs(err([{ ...BAD, message: 'something else' }]));
    await reloader.reload('retry');
    expect(log).toHaveLength(4);
  });

  it('counts settings that a restart is needed for, and warns of them', async () => {
    const { reloader, nextIs, log, metricsText } = reloading();
    nextIs(ok('second'), ['listen']);
    await reloader.reload('files');
    expect(log.at(-1)).toContain('{"settings":["listen"]}');
    expect(await metricsText()).toContain('ptq_config_restart_needed 1\n');
  });

  it('takes up one configuration after another', async () => {
    const { reloader, taken, nextIs } = reloading();
    const first = reloader.reload('files');
    const second = reloader.reload('signal').then(() => nextIs(ok('never')));
    await Promise.all([first, second]);
    expect(taken).toEqual(['second', 'second']);
    expect(reloader.status.trigger).toBe('signal');
  });
});
