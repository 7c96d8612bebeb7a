import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptAsync } from '../../../src/core/problem.ts';
import { readTraceParts } from '../../../src/jobs/trace-spool.ts';
import { type FirstRunsTrace, openTracedSession } from '../../../src/jobs/traced-session.ts';
import { parseOpProfile } from '../../../src/runtime/op-profile.ts';
import { writeClassifier } from '../../support/evaluated-models.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const SAMPLE = { x: { type: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) } } as const;

async function open(more: Partial<FirstRunsTrace> = {}) {
  const folder = temporaryFolder();
  const modelPath = writeClassifier(temporaryFolder(), 'model.onnx', [
    [1, 0],
    [0, 1],
  ]);
  const trace: FirstRunsTrace = {
    folder,
    runs: 3,
    modelId: 'digits:fp32',
    modelPath,
    phase: 'evaluate',
    thread: 'evaluate fp32',
    ...more,
  };
  const session = unwrap(await openTracedSession(modelPath, { intraOpThreads: 1 }, trace));
  const [input] = session.inputs;
  const run = () => session.run({ [input?.name ?? '']: SAMPLE.x });
  return { folder, modelPath, session, run };
}

describe('a session whose first runs are traced', () => {
  it('traces so many and no more, and gives what it would give otherwise', async () => {
    const { folder, modelPath, session, run } = await open();
    const outputs = [];
    for (let index = 0; index < 5; index++) outputs.push(await run());
    expect(outputs[4]).toEqual(outputs[0]);
    // It is written as soon as it is whole.
    const [part] = (await readTraceParts(folder)).parts;
    expect(part).toMatchObject({
      modelId: 'digits:fp32',
      modelPath,
      phase: 'evaluate',
      device: 'cpu',
      pid: process.pid,
      thread: 'evaluate fp32',
      firstRequest: 0,
    });
    const { startsNs = [], endsNs = [], profileFile = '' } = part ?? {};
    expect(startsNs).toHaveLength(3);
    expect(startsNs.every((start, index) => start < (endsNs[index] as number))).toBe(true);
    expect(unwrap(parseOpProfile(readFileSync(profileFile, 'utf8'))).runs).toHaveLength(3);
    await session.close();
    expect((await readTraceParts(folder)).parts).toHaveLength(1);
  });

  it('traces what there is where it is closed before', async () => {
    const { folder, session, run } = await open();
    await run();
    await session.close();
    expect((await readTraceParts(folder)).parts[0]?.startsNs).toHaveLength(1);
  });

  it('leaves nothing of a session that never ran', async () => {
    const { folder, session } = await open();
    await session.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('counts a run that failed, as the runtime does', async () => {
    const { folder, session } = await open({ runs: 1 });
    expect(await attemptAsync(() => session.run({}))).toMatchObject({ ok: false });
    expect((await readTraceParts(folder)).parts[0]?.startsNs).toHaveLength(1);
    await session.close();
  });

  it('runs all the same where nothing can be written', async () => {
    const { folder, session, run } = await open({ folder: join(temporaryFolder(), 'none') });
    for (let index = 0; index < 4; index++) expect(Object.keys(await run())).toHaveLength(1);
    await session.close();
    expect(existsSync(folder)).toBe(true);
  });
});
