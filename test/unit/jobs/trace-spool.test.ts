import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import {
  leaveTraceProblem,
  makeTraceSpool,
  readTraceParts,
  removeTraceSpool,
  writeTracePart,
} from '../../../src/jobs/trace-spool.ts';
import type { TracePart } from '../../../src/trace/trace-part.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const PART: TracePart = {
  modelId: 'digits:int8',
  phase: 'bench',
  device: 'cpu',
  pid: 1,
  thread: 'bench int8',
  baseNs: '9007199254740993',
  startsNs: [0, 10.5],
  endsNs: [5, 20],
  firstRequest: 1,
};

/** More than any kernel counts to. */
const DEAD = 2 ** 30;

describe('a folder for what is traced', () => {
  it('keeps parts as they are, in the order in which they began', async () => {
    const folder = unwrap(await makeTraceSpool(temporaryFolder()));
    unwrap(writeTracePart(folder, 'b', PART));
    unwrap(writeTracePart(folder, 'a', { ...PART, baseNs: '9007199254740994' }));
    const { parts, warnings } = await readTraceParts(folder);
    expect(parts).toEqual([PART, { ...PART, baseNs: '9007199254740994' }]);
    expect(warnings).toEqual([]);
    await removeTraceSpool(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it('tells what is missing: a part that was cut off, and a session that could not be traced', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'part-1.json'), JSON.stringify(PART).slice(0, 40));
    unwrap(writeTracePart(folder, '2', PART));
    leaveTraceProblem(folder, '3', problem('profile-unreadable', 'the runtime wrote none'));
    const { parts, warnings } = await readTraceParts(folder);
    expect(parts).toEqual([PART]);
    expect(warnings).toEqual([
      'A traced session ended before its requests were written down, and is missing',
      'the runtime wrote none',
    ]);
  });

  it('goes with its maker: the next one removes those of the dead, and no others', async () => {
    const parent = temporaryFolder();
    for (const name of [`ptq-agent-spool-${DEAD}-x`, 'ptq-agent-spool-1-x', `other-${DEAD}-x`])
      mkdirSync(join(parent, name));
    const own = unwrap(await makeTraceSpool(parent));
    expect(readdirSync(parent).sort()).toEqual(
      [`other-${DEAD}-x`, 'ptq-agent-spool-1-x', own.slice(parent.length + 1)].sort(),
    );
  });

  it('is a problem where it cannot be made or written', async () => {
    const missing = join(temporaryFolder(), 'none');
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(await makeTraceSpool(join(file, 'none'))).toMatchObject({
      ok: false,
      error: { kind: 'trace-not-written' },
    });
    expect(writeTracePart(missing, 'a', PART)).toMatchObject({
      ok: false,
      error: { kind: 'trace-not-written', place: { file: join(missing, 'part-a.json') } },
    });
    expect(() => leaveTraceProblem(missing, 'a', problem('x', 'y'))).not.toThrow();
  });
});
