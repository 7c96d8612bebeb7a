import { describe, expect, it } from 'vitest';
import { collectThermal } from '../../../../src/telemetry/collectors/thermal.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

const ZONES = 'sys/class/thermal';

describe('collectThermal', () => {
  it('reads zones in the order of their numbers, below zero too, and no cooling device', () => {
    expect(collectThermal(fixtureHost)).toEqual({
      ok: true,
      value: {
        zones: [
          { zone: 'thermal_zone0', type: 'acpitz', celsius: 27.8 },
          { zone: 'thermal_zone1', type: 'x86_pkg_temp', celsius: 61 },
          { zone: 'thermal_zone2', type: 'x86_pkg_temp', celsius: -5 },
        ],
      },
    });
  });

  it.each(['-274000\n', '999999999\n', 'hot\n', '', '4294967295\n', '\u0000\u0001'])(
    'leaves out a zone that says %j',
    (text) => {
      expect(collectThermal(hostWith({ [`${ZONES}/thermal_zone1/temp`]: text }))).toMatchObject({
        value: { zones: [{ zone: 'thermal_zone0' }, { zone: 'thermal_zone2' }] },
      });
    },
  );

  it('leaves out a zone that does not answer', () => {
    const host = hostWith({ [`${ZONES}/thermal_zone0/temp`]: null });
    expect(collectThermal(host)).toMatchObject({ value: { zones: [{ zone: 'thermal_zone1' }, {}] } });
  });

  it('is absent where there is no zone, or none that answers', () => {
    expect(collectThermal(hostWith({ [ZONES]: null }))).toMatchObject({ error: { kind: 'absent' } });
    const mute = hostWith({ [ZONES]: null, [`${ZONES}/thermal_zone0/type`]: 'acpitz\n' });
    expect(collectThermal(mute)).toMatchObject({ error: { kind: 'absent' } });
  });
});
