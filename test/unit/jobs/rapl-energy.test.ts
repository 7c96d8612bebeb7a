import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { energyBetween } from '../../../src/benchmark/energy.ts';
import { openRaplEnergy } from '../../../src/jobs/rapl-energy.ts';
import { OpenFiles } from '../../../src/telemetry/collectors/open-files.ts';
import { unwrap } from '../../support/unwrap.ts';
import { fixtureHost, hostWith } from '../telemetry/host-tree.ts';

const ZONE = 'sys/class/powercap/intel-rapl:0';

describe('openRaplEnergy', () => {
  it('reads the packages: not their parts, not the platform that includes them, none twice', () => {
    const source = unwrap(openRaplEnergy(fixtureHost, { nowNs: () => 77n, wallMs: () => 0 }));
    expect(source.name).toBe('rapl-package');
    expect(unwrap(source.read())).toEqual({
      atNs: 77n,
      counters: [
        { domain: 'package-0', joules: 123456.789012, wrapJoules: 262143.32885 },
        { domain: 'package-1', joules: 5, wrapJoules: 262143.32885 },
      ],
    });
  });

  it('reads anew each time, over the point where the counter begins anew', () => {
    const host = hostWith({ [`${ZONE}/energy_uj`]: '262143328850\n' });
    let nowNs = 0n;
    const clock = { nowNs: () => nowNs, wallMs: () => 0 };
    const source = unwrap(openRaplEnergy(host, clock));
    const before = unwrap(source.read());
    writeFileSync(`${host.sysPath}/class/powercap/intel-rapl:0/energy_uj`, '7000000\n');
    nowNs = 1_000_000_000n;
    expect(unwrap(energyBetween(before, unwrap(source.read()))).joules).toBeCloseTo(7, 6);
  });

  it('is absent in a virtual machine, which has no powercap, or no zone in it', () => {
    const none = hostWith({ 'sys/class': null });
    expect(openRaplEnergy(none)).toMatchObject({ error: { kind: 'absent' } });
    const empty = hostWith({ 'sys/class/powercap': null, 'sys/class/powercap/dtpm/enabled': '0\n' });
    expect(openRaplEnergy(empty)).toMatchObject({
      error: { kind: 'absent', message: expect.stringContaining('no RAPL counter') },
    });
  });

  it('says who may read the counters where this user may not', () => {
    class RefusingFiles extends OpenFiles {
      override read(file: string): string {
        if (file.endsWith('energy_uj')) throw Object.assign(new Error('denied'), { code: 'EACCES' });
        return super.read(file);
      }
    }
    expect(openRaplEnergy({ ...fixtureHost, files: new RefusingFiles() })).toMatchObject({
      error: {
        kind: 'unreadable',
        message: expect.stringMatching(/intel-rapl:0\/energy_uj cannot be read \(EACCES\)/),
        hint: expect.stringContaining('for root only'),
      },
    });
  });

  it.each(['energy_uj', 'max_energy_range_uj'])('names %s where it is no number', (name) => {
    expect(openRaplEnergy(hostWith({ [`${ZONE}/${name}`]: '-5\n' }))).toMatchObject({
      error: { kind: 'malformed', place: { file: expect.stringContaining(`intel-rapl:0/${name}`), line: 1 } },
    });
  });

  it('gives a problem when the counter goes away later', () => {
    const host = hostWith({});
    const source = unwrap(openRaplEnergy(host));
    rmSync(`${host.sysPath}/class`, { recursive: true });
    expect(source.read()).toMatchObject({ ok: false, error: { kind: 'absent' } });
  });
});
