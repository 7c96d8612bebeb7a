import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Schedule } from '../../../src/config/schedule.ts';
import { silentLogger } from '../../../src/core/log.ts';
import { ModelRegistry } from '../../../src/jobs/model-registry.ts';
import { Scheduler } from '../../../src/jobs/scheduler.ts';
import type { Run } from '../../../src/store/runs.ts';
import { profileOf } from '../../support/profile.ts';

const MINUTE = 60_000;

function scheduled(schedule: Partial<Schedule> = {}, random = 0) {
  const profile = profileOf('tiny', { schedule: { jitterSeconds: 0, onChange: true, ...schedule } });
  const models = new ModelRegistry([profile]);
  const orders: string[] = [];
  const runs: Run[] = [];
  let model = 'one';
  const scheduler = new Scheduler({
    models,
    clock: { nowNs: () => 0n, wallMs: () => Date.now() },
    logger: silentLogger,
    basisOf: async () => ({ model, data: '', profile: '', software: '' }),
    lastRuns: () => runs,
    order: async (name, reasons, basis) => {
      orders.push(`${new Date().toISOString().slice(11, 16)} ${name}: ${reasons}`);
      const request = { kind: 'pipeline', basis };
      runs.unshift({
        id: '',
        kind: 'pipeline',
        model: name,
        state: 'succeeded',
        request,
        priority: 'normal',
        attempt: 1,
        createdMs: 0,
        startedMs: 0,
      });
    },
    random: () => random,
    lookEveryMs: MINUTE,
  });
  return {
    scheduler,
    models,
    orders,
    /** The profile of a model, with a schedule of its own. */
    profileWith: (name: string, of: Partial<Schedule> = {}) =>
      profileOf(name, { schedule: { jitterSeconds: 0, onChange: true, ...of } }),
    write: (content: string) => {
      model = content;
    },
  };
}

async function pass(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) await vi.advanceTimersByTimeAsync(MINUTE);
}

describe('Scheduler', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'Date'],
      now: new Date('2026-11-26T20:00:00Z'),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('orders the first run when it starts, and no other while nothing changes', async () => {
    const { scheduler, orders } = scheduled();
    await scheduler.start();
    await pass(10);
    expect(orders).toEqual(['20:00 tiny: first']);
    await scheduler.stop();
  });

  it('orders a run once a changed file is no longer written to', async () => {
    const { scheduler, orders, write } = scheduled();
    await scheduler.start();
    await pass(2);
    write('three');
    await pass(1);
    write('three and more');
    await pass(1);
    expect(orders).toHaveLength(1);
    await pass(1);
    expect(orders).toEqual(['20:00 tiny: first', '20:05 tiny: model']);
    await pass(5);
    expect(orders).toHaveLength(2);
    await scheduler.stop();
  });

  it('does not look at files where changes are no reason', async () => {
    const { scheduler, orders, write } = scheduled({ onChange: false });
    await scheduler.start();
    write('three');
    await pass(5);
    expect(orders).toEqual(['20:00 tiny: first']);
    await scheduler.stop();
  });

  it('goes by the new time where the clock was set back by a year', async () => {
    const { scheduler, orders } = scheduled({ cron: '*/15 * * * *', timezone: 'UTC' });
    await scheduler.start();
    await pass(5);
    vi.setSystemTime(new Date('2025-11-26T20:05:00Z'));
    await pass(42);
    expect(orders).toEqual(['20:00 tiny: first', '20:30 tiny: schedule', '20:45 tiny: schedule']);
    await scheduler.stop();
  });

  it('does not let a time come again where the clock was set back by less than three hours', async () => {
    const { scheduler, orders } = scheduled({ cron: '*/15 * * * *', timezone: 'UTC' });
    await scheduler.start();
    await pass(16);
    vi.setSystemTime(new Date('2026-11-26T19:46:00Z'));
    await pass(45);
    expect(orders).toEqual(['20:00 tiny: first', '20:15 tiny: schedule', '20:30 tiny: schedule']);
    await scheduler.stop();
  });

  it('orders runs by the time table, over and over', async () => {
    const { scheduler, orders } = scheduled({ cron: '*/15 * * * *', timezone: 'UTC' });
    await scheduler.start();
    await pass(46);
    expect(orders).toEqual([
      '20:00 tiny: first',
      '20:15 tiny: schedule',
      '20:30 tiny: schedule',
      '20:45 tiny: schedule',
    ]);
    await scheduler.stop();
  });

  it('puts each time off within the jitter', async () => {
    const { scheduler, orders } = scheduled({ cron: '0 * * * *', timezone: 'UTC', jitterSeconds: 1200 }, 0.5);
    await scheduler.start();
    await pass(75);
    expect(orders).toEqual(['20:00 tiny: first', '21:10 tiny: schedule']);
    await scheduler.stop();
  });

  it('does not make up for what was missed while the host slept', async () => {
    const { scheduler, orders } = scheduled({ cron: '*/15 * * * *', timezone: 'UTC' });
    await scheduler.start();
    await pass(1);
    vi.setSystemTime(new Date('2026-11-27T04:01:00Z'));
    await pass(16);
    expect(orders).toEqual(['20:00 tiny: first', '04:15 tiny: schedule']);
    await scheduler.stop();
  });

  it('orders nothing after it was stopped', async () => {
    const { scheduler, orders, write } = scheduled({ cron: '* * * * *', timezone: 'UTC' });
    await scheduler.start();
    await scheduler.stop();
    write('three');
    await pass(5);
    expect(orders).toEqual(['20:00 tiny: first']);
  });

  it('goes by the time table that a changed profile has, and by that alone', async () => {
    const { scheduler, orders, models, profileWith } = scheduled({ cron: '*/15 * * * *', timezone: 'UTC' });
    await scheduler.start();
    await pass(1);
    await scheduler.takeUp(models.replace([profileWith('tiny', { cron: '20 * * * *', timezone: 'UTC' })]));
    await pass(60);
    expect(orders).toEqual(['20:00 tiny: first', '20:20 tiny: schedule']);
    await scheduler.stop();
  });

  it('orders a first run of a model that is added, and nothing of one that is removed', async () => {
    const { scheduler, orders, models, write, profileWith } = scheduled({
      cron: '30 * * * *',
      timezone: 'UTC',
    });
    await scheduler.start();
    await pass(1);
    const changes = models.replace([profileWith('small')]);
    expect(changes).toEqual({ added: ['small'], removed: ['tiny'], changed: [] });
    await scheduler.takeUp(changes);
    write('three');
    await pass(60);
    expect(orders.filter((order) => order.includes('tiny'))).toEqual(['20:00 tiny: first']);
    expect(orders).toContain('20:03 small: model');
    await scheduler.stop();
  });

  it('leaves the time table of a model alone that is as it was', async () => {
    const { scheduler, orders, models, profileWith } = scheduled({ cron: '30 * * * *', timezone: 'UTC' }, 0);
    await scheduler.start();
    await pass(1);
    const same = profileWith('tiny', { cron: '30 * * * *', timezone: 'UTC' });
    const changes = models.replace([same]);
    expect(changes).toEqual({ added: [], removed: [], changed: [] });
    await scheduler.takeUp(changes);
    await pass(60);
    expect(orders).toEqual(['20:00 tiny: first', '20:30 tiny: schedule']);
    await scheduler.stop();
  });
});
