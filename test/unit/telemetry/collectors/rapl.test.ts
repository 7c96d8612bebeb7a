import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OpenFiles } from '../../../../src/telemetry/collectors/open-files.ts';
import { createRapl } from '../../../../src/telemetry/collectors/rapl.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

const ZONE = 'sys/class/powercap/intel-rapl:0';

describe('createRapl', () => {
  it('reads packages and their memory: not the parts within a package, not the platform, none twice', () => {
    expect(createRapl()(fixtureHost)).toEqual({
      ok: true,
      value: {
        zones: [
          { zone: 'package-0', joules: 123456.789012, wrapJoules: 262143.32885 },
          { zone: 'dram-0', joules: 4.25, wrapJoules: 65712.999613 },
          { zone: 'package-1', joules: 5, wrapJoules: 262143.32885 },
        ],
      },
    });
  });

  it('reads anew each time', () => {
    const host = hostWith({});
    const collect = createRapl();
    collect(host);
    writeFileSync(`${host.sysPath}/class/powercap/intel-rapl:1/energy_uj`, '6000000\n');
    expect(collect(host)).toMatchObject({ value: { zones: [{}, {}, { joules: 6 }] } });
  });

  it('is absent in a virtual machine', () => {
    expect(createRapl()(hostWith({ 'sys/class': null }))).toMatchObject({ error: { kind: 'absent' } });
  });

  it('finds zones of a driver that is loaded later', () => {
    const host = hostWith({ 'sys/class/powercap': null });
    const collect = createRapl();
    expect(collect(host)).toMatchObject({ error: { kind: 'absent' } });
    expect(collect(fixtureHost)).toMatchObject({ ok: true });
  });

  it('says who may read the counters where this user may not', () => {
    class RefusingFiles extends OpenFiles {
      override read(file: string): string {
        if (file.endsWith('energy_uj')) throw Object.assign(new Error('denied'), { code: 'EACCES' });
        return super.read(file);
      }
    }
    expect(createRapl()({ ...fixtureHost, files: new RefusingFiles() })).toMatchObject({
      error: { kind: 'unreadable', hint: expect.stringContaining('for root only') },
    });
  });

  it.each(['-5\n', '', 'many\n'])('names the counter that says %j', (text) => {
    expect(createRapl()(hostWith({ [`${ZONE}/energy_uj`]: text }))).toMatchObject({
      error: { kind: 'malformed', place: { file: expect.stringContaining('intel-rapl:0/energy_uj') } },
    });
  });
});
