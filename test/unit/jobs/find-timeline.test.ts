import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTimeline, listTimelines } from '../../../src/jobs/find-timeline.ts';
import { createTimeline } from '../../../src/telemetry/timeline/timeline-writer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';
import { snapshotAt } from '../telemetry/snapshots.ts';

const OLD = '01M83MHX4BNBFSWHZ8PWNPP7QM';
const NEW = '01M8CDH2Z3082Y6SEQ71HG3RNR';

async function dataWith(runs: readonly string[]): Promise<string> {
  const dataDir = temporaryFolder();
  for (const run of runs) {
    mkdirSync(join(dataDir, 'runs', run), { recursive: true });
    const writer = unwrap(
      await createTimeline(join(dataDir, 'runs', run, 'timeline.ptqt'), { run, model: 'digits' }),
    );
    for (const t of [1, 2, 3.5]) writer.append(snapshotAt(t));
    await writer.close();
  }
  return dataDir;
}

describe('findTimeline', () => {
  it.each([
    ['an id', NEW],
    ['the beginning of an id', '01M8C'],
    ['small letters', '01m8c'],
    ['the newest', 'latest'],
  ])('finds a run by %s', async (_what, name) => {
    const dataDir = await dataWith([OLD, NEW]);
    expect(await findTimeline(dataDir, name)).toEqual({
      ok: true,
      value: join(dataDir, 'runs', NEW, 'timeline.ptqt'),
    });
  });

  it('takes the path of a file as it is', async () => {
    const file = join(temporaryFolder(), 'any');
    writeFileSync(file, '');
    expect(await findTimeline('/nowhere', file)).toEqual({ ok: true, value: file });
  });

  it.each([
    ['a typing error', '01M8CDH2Z3082Y6SEQ71HG3RNX', 'unknown-run', new RegExp(`did you mean ${NEW}`)],
    ['another word', 'nope', 'unknown-run', /lists the 2/],
    ['something that several begin with', '01M8', 'ambiguous-run', new RegExp(NEW)],
  ])('says of %s what to do', async (_what, name, kind, hint) => {
    expect(await findTimeline(await dataWith([OLD, NEW]), name)).toMatchObject({
      ok: false,
      error: { kind, hint: expect.stringMatching(hint) },
    });
  });

  it('says that a folder has no runs', async () => {
    for (const name of ['latest', NEW]) {
      expect(await findTimeline('/nowhere', name)).toMatchObject({
        error: { hint: expect.stringContaining('--data-dir') },
      });
    }
  });
});

describe('listTimelines', () => {
  it('tells the newest first, and leaves out what is no timeline or no run', async () => {
    const dataDir = await dataWith([OLD, NEW]);
    const other = '01M8CDH2Z3082Y6SEQ71HG3RNS';
    for (const name of [other, 'not-a-run']) {
      mkdirSync(join(dataDir, 'runs', name));
      writeFileSync(join(dataDir, 'runs', name, 'timeline.ptqt'), 'words');
    }
    expect(await listTimelines(dataDir)).toMatchObject([
      {
        run: NEW,
        model: 'digits',
        seconds: 2.5,
        snapshots: 3,
        complete: true,
        sizeBytes: expect.any(Number),
      },
      { run: OLD, orderedAt: expect.stringMatching(/^2026-/) },
    ]);
  });
});
