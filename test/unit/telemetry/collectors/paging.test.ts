import { describe, expect, it } from 'vitest';
import { collectPaging } from '../../../../src/telemetry/collectors/paging.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

describe('collectPaging', () => {
  it('reads swapping, slow page faults and kills for lack of memory', () => {
    expect(collectPaging(fixtureHost)).toEqual({
      ok: true,
      value: { swappedInPages: 1024, swappedOutPages: 2048, majorFaults: 11050, oomKills: 2 },
    });
  });

  it('goes without what the kernel was built without', () => {
    expect(collectPaging(hostWith({ 'proc/vmstat': 'pgmajfault 3' }))).toEqual({
      ok: true,
      value: { majorFaults: 3 },
    });
  });

  it('is absent on a host without /proc/vmstat', () => {
    expect(collectPaging(hostWith({ 'proc/vmstat': null }))).toMatchObject({ error: { kind: 'absent' } });
  });

  it.each([
    ['pgfault 1\npswpin -3\n', /pswpin.*"-3"/, 2],
    ['pgmajfault 1.5\n', /pgmajfault.*"1.5"/, 1],
    ['pswpout \n', /pswpout.*""/, 1],
  ])('names file, line and field of %j', (text, message, line) => {
    expect(collectPaging(hostWith({ 'proc/vmstat': text }))).toMatchObject({
      error: { kind: 'malformed', message: expect.stringMatching(message), place: { line } },
    });
  });

  it.each(['', '\u0000\u0001\u0002', 'nr_free_pages 5\n'])('says what %j lacks', (text) => {
    expect(collectPaging(hostWith({ 'proc/vmstat': text }))).toMatchObject({
      error: { kind: 'malformed', message: expect.stringContaining('pswpin') },
    });
  });
});
