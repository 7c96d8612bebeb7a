import { describe, expect, it } from 'vitest';
import { problem } from '../../../../src/core/problem.ts';
import { LiveWork } from '../../../../src/jobs/capture/live-work.ts';
import { traceSystems } from '../../../../src/jobs/capture/traced-systems.ts';
import { fakeSystem } from '../../../support/fake-system.ts';

const folder = '/spool';
const variantsOf = (parts: readonly { readonly modelId: string }[]) => parts.map(({ modelId }) => modelId);

describe('traceSystems', () => {
  it('has all systems that live trace, and gives what they traced', async () => {
    const live = new LiveWork();
    const systems = [fakeSystem('fp32'), fakeSystem('int8')];
    for (const { system } of systems) live.systemStarted(system);
    const traced = traceSystems(live, { folder });
    await traced.begun;
    const { parts, warnings } = await traced.end();
    expect(variantsOf(parts)).toEqual(['tiny:fp32', 'tiny:int8']);
    expect(warnings).toEqual([]);
    expect(systems.map(({ told }) => told)).toEqual([
      ['trace', 'end-trace'],
      ['trace', 'end-trace'],
    ]);
  });

  it('has a system that starts meanwhile trace too, and none that starts later', async () => {
    const live = new LiveWork();
    const traced = traceSystems(live, { folder });
    await traced.begun;
    const meanwhile = fakeSystem('int8');
    live.systemStarted(meanwhile.system);
    expect(variantsOf((await traced.end()).parts)).toEqual(['tiny:int8']);
    const later = fakeSystem('int8');
    live.systemStarted(later.system);
    expect(later.told).toEqual([]);
  });

  it('takes what a process traced before it is closed, and asks it only once', async () => {
    const live = new LiveWork();
    const { system, told, close, exit } = fakeSystem('fp32');
    live.systemStarted(system);
    const traced = traceSystems(live, { folder });
    await close();
    exit(problem('worker-killed', 'gone'));
    expect(await traced.end()).toMatchObject({ parts: [{ modelId: 'tiny:fp32' }], warnings: [] });
    expect(told).toEqual(['trace', 'end-trace']);
  });

  it('says what is missing where a process dies', async () => {
    const live = new LiveWork();
    const { system, exit } = fakeSystem('fp32', () => undefined);
    live.systemStarted(system);
    const traced = traceSystems(live, { folder });
    exit(problem('worker-crashed', 'gone'));
    await traced.begun;
    const { parts, warnings } = await traced.end();
    expect(parts).toEqual([]);
    expect(warnings).toEqual(['What fp32 ran is not in the trace: its process ended']);
  });

  it('leaves a trace alone that somebody else has begun', async () => {
    const live = new LiveWork();
    const busy = fakeSystem('fp32', () => ({
      kind: 'traced',
      parts: [],
      problem: problem('traced-already', 'it is traced already'),
    }));
    live.systemStarted(busy.system);
    const traced = traceSystems(live, { folder });
    await traced.begun;
    expect((await traced.end()).warnings).toEqual([
      'What fp32 ran is not in the trace: it is traced already',
    ]);
    expect(busy.told).toEqual(['trace']);
  });

  it('does not wait for ever for a system that says nothing', async () => {
    const live = new LiveWork();
    live.systemStarted(fakeSystem('fp32', () => undefined).system);
    const traced = traceSystems(live, { folder, beginWithinMs: 20, answerWithinMs: 30 });
    await traced.begun;
    expect((await traced.end()).warnings).toEqual([
      'What fp32 ran is not in the trace: it handed nothing over within 0.03 s',
    ]);
  });
});
