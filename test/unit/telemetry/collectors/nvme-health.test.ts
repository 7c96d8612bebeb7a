import { describe, expect, it } from 'vitest';
import { ok, type Result } from '../../../../src/core/result.ts';
import { createNvmeHealth } from '../../../../src/telemetry/collectors/nvme-health.ts';
import type { SmartLog } from '../../../../src/telemetry/collectors/smart-log.ts';
import type { SmartRefusal } from '../../../../src/telemetry/collectors/smart-reader.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';
import { ns } from '../snapshots.ts';

/** A collector whose drives give this, and the time in its hands. */
function setUp(
  answer: Result<SmartLog, SmartRefusal> = ok({ percentageUsedRatio: 0.5, temperatureCelsius: 99 }),
) {
  const asked: string[] = [];
  let seconds = 0;
  const collect = createNvmeHealth({
    clock: { nowNs: () => ns(seconds), wallMs: () => 0 },
    read: async (device) => {
      asked.push(device);
      return answer;
    },
  });
  /** Reads at a time, then lets the tools answer. */
  const at = async (time: number, watched: readonly number[] = [], host = fixtureHost) => {
    seconds = time;
    const outcome = collect(host, watched);
    await Promise.resolve();
    await Promise.resolve();
    return outcome.ok ? outcome.value : outcome.error;
  };
  return { at, asked };
}

describe('createNvmeHealth', () => {
  it('has temperatures by hwmon at once, of both forms in which kernels join sensor and drive', async () => {
    expect(await setUp().at(0)).toEqual({
      drives: [
        { device: 'nvme0', temperatureCelsius: 41.85 },
        { device: 'nvme1', temperatureCelsius: 36.85 },
      ],
      smart: 'waiting',
    });
  });

  it('has the logs once they are there, with the temperature of the sensor', async () => {
    const { at } = setUp();
    await at(0);
    expect(await at(10)).toEqual({
      drives: [
        { device: 'nvme0', percentageUsedRatio: 0.5, temperatureCelsius: 41.85 },
        { device: 'nvme1', percentageUsedRatio: 0.5, temperatureCelsius: 36.85 },
      ],
      smart: 'read',
    });
  });

  it('has the temperature of the log where there is no sensor', async () => {
    const { at } = setUp();
    const host = hostWith({ 'sys/class/hwmon': null });
    await at(0, [], host);
    expect(await at(10, [], host)).toMatchObject({ drives: [{ temperatureCelsius: 99 }, {}] });
  });

  it('asks each drive once a minute', async () => {
    const { at, asked } = setUp();
    for (let time = 0; time <= 125; time += 5) await at(time);
    expect(asked).toEqual(['nvme0', 'nvme1', 'nvme0', 'nvme1', 'nvme0', 'nvme1']);
  });

  it('asks no drive while something is watched, and then shows no old log', async () => {
    const { at, asked } = setUp();
    await at(0);
    for (let time = 5; time <= 85; time += 5) await at(time, [4242]);
    expect(await at(89, [4242])).toMatchObject({ smart: 'read' });
    expect(await at(95, [4242])).toEqual({
      drives: [
        { device: 'nvme0', temperatureCelsius: 41.85 },
        { device: 'nvme1', temperatureCelsius: 36.85 },
      ],
      smart: 'waiting',
    });
    expect(asked).toHaveLength(2);
  });

  it('does not ask a drive again that has not answered yet', async () => {
    const asked: string[] = [];
    let seconds = 0;
    const collect = createNvmeHealth({
      clock: { nowNs: () => ns(seconds), wallMs: () => 0 },
      read: (device) => {
        asked.push(device);
        return new Promise(() => {});
      },
    });
    for (; seconds < 300; seconds += 30) collect(fixtureHost, []);
    expect(asked).toEqual(['nvme0', 'nvme1']);
  });

  it('says why there is no log, which is no fault', async () => {
    const { at } = setUp({ ok: false, error: { state: 'not-permitted', reason: 'for root only' } });
    await at(0);
    expect(await at(10)).toMatchObject({
      drives: [{ temperatureCelsius: 41.85 }, {}],
      smart: 'not-permitted',
      smartReason: 'for root only',
    });
  });

  it('is absent on a host without NVMe', async () => {
    expect(await setUp().at(0, [], hostWith({ 'sys/class/nvme': null }))).toMatchObject({ kind: 'absent' });
    expect(await setUp().at(0, [], hostWith({ sys: null }))).toMatchObject({ kind: 'absent' });
  });

  it.each(['hot\n', '', '\u0000\u0001'])('takes %j for no temperature', async (text) => {
    const host = hostWith({ 'sys/class/hwmon/hwmon1/temp1_input': text });
    const reading = await setUp().at(0, [], host);
    expect(reading).toMatchObject({ drives: [{ device: 'nvme0' }, { temperatureCelsius: 36.85 }] });
    expect(reading).not.toHaveProperty('drives.0.temperatureCelsius');
  });
});
