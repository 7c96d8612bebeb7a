import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodePerfetto } from '../../../src/trace/perfetto/encode-perfetto.ts';
import { publishTrace } from '../../../src/trace/publish.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { encodeXSpace } from '../../../src/trace/xspace/encode-xspace.ts';
import { lineOf, planeOf, traceOf } from '../../support/hand-made-trace.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const STARTED = new Date(2026, 10, 6, 9, 4, 5);
const RUN = '2026_11_06_09_04_05';

function trace(more: Partial<Trace> = {}): Trace {
  return traceOf(
    [planeOf('/host:CPU', [{ name: 'op' }], [lineOf(1, 'lane', [{ kind: 0, startNs: 1 }])])],
    more,
  );
}

describe('publishTrace', () => {
  it('writes the trace for TensorFlow and for Perfetto, in folders named by the local time', async () => {
    const logdir = join(temporaryFolder(), 'not', 'there');
    const published = unwrap(
      await publishTrace(trace({ hostname: 'node7' }), { logdir, startedAt: STARTED }),
    );
    expect(published).toEqual({
      run: RUN,
      xspaceFile: join(logdir, 'plugins', 'profile', RUN, 'node7.xplane.pb'),
      xspaceBytes: statSync(published.xspaceFile).size,
      perfettoFile: join(logdir, 'perfetto', RUN, 'node7.json.gz'),
      perfettoBytes: statSync(published.perfettoFile).size,
    });
    const expected = trace({ hostname: 'node7' });
    expect(readFileSync(published.xspaceFile)).toEqual(Buffer.concat([...encodeXSpace(expected)]));
    expect(gunzipSync(readFileSync(published.perfettoFile))).toEqual(
      Buffer.concat([...encodePerfetto(expected)]),
    );
    expect(readdirSync(logdir)).toEqual(['perfetto', 'plugins']);
  });

  it.each([
    ['10.0.0.1:6009', '10.0.0.1_6009'],
    ['a/../b ü', 'a_.._b__'],
    ['..', 'host'],
    ['', 'host'],
  ])('makes the name of a file of the host %j', async (hostname, file) => {
    const logdir = temporaryFolder();
    const { xspaceFile } = unwrap(await publishTrace(trace({ hostname }), { logdir, startedAt: STARTED }));
    expect(xspaceFile).toBe(join(logdir, 'plugins', 'profile', RUN, `${file}.xplane.pb`));
  });

  it('leaves every run that is there as it is', async () => {
    const logdir = temporaryFolder();
    const first = unwrap(await publishTrace(trace({ hostname: 'a' }), { logdir, startedAt: STARTED }));
    const before = readFileSync(first.xspaceFile);
    // Somebody else's run, and a file in the way of the other folder.
    mkdirSync(join(logdir, 'plugins', 'profile', `${RUN}_1`));
    writeFileSync(join(logdir, 'perfetto', `${RUN}_2`), '');
    const later = unwrap(await publishTrace(trace({ hostname: 'a' }), { logdir, startedAt: STARTED }));
    expect(later.run).toBe(`${RUN}_3`);
    expect(readFileSync(first.xspaceFile)).toEqual(before);
    expect(readdirSync(join(logdir, 'plugins', 'profile', `${RUN}_1`))).toEqual([]);
    expect(readdirSync(join(logdir, 'perfetto')).sort()).toEqual([RUN, `${RUN}_2`, `${RUN}_3`]);
  });

  it('gives runs that are published at once a name each', async () => {
    const logdir = temporaryFolder();
    const all = await Promise.all(
      Array.from({ length: 8 }, () => publishTrace(trace(), { logdir, startedAt: STARTED })),
    );
    const runs = all.map((published) => unwrap(published).run);
    expect(new Set(runs).size).toBe(8);
    for (const tree of ['perfetto', join('plugins', 'profile')]) {
      expect(readdirSync(join(logdir, tree)).sort()).toEqual([...runs].sort());
    }
    expect(readdirSync(logdir)).toEqual(['perfetto', 'plugins']);
  });

  it('says that the place for folders is a file', async () => {
    const logdir = join(temporaryFolder(), 'file');
    writeFileSync(logdir, '');
    expect(await publishTrace(trace(), { logdir, startedAt: STARTED })).toMatchObject({
      ok: false,
      error: { kind: 'folder-not-usable', place: { file: logdir } },
    });
  });

  it('says that a folder cannot be written to', async () => {
    const logdir = temporaryFolder();
    const child = `
      // The superuser may write everywhere.
      if (process.getuid() === 0) process.setuid(65534);
      const { publishTrace } = await import(${JSON.stringify(new URL('../../../src/trace/publish.ts', import.meta.url).href)});
      const trace = { startNs: 0n, startWallMs: 0, durationNs: 0, hostname: 'h', warnings: [], planes: [] };
      const { error } = await publishTrace(trace, { logdir: process.argv[1], startedAt: new Date(0) });
      console.log(error?.kind);`;
    chmodSync(logdir, 0o555);
    const said = execFileSync(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      child,
      logdir,
    ]);
    expect(said.toString().trim()).toBe('folder-not-writable');
  });
});
