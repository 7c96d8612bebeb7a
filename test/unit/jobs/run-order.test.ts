import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/log.ts';
import { LiveWork } from '../../../src/jobs/capture/live-work.ts';
import { runOrder } from '../../../src/jobs/run-order.ts';
import { openStore } from '../../../src/store/store.ts';
import { fakeSampler } from '../../support/fake-sampler.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { profileOf } from '../../support/profile.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

function ordering(model: string, live: LiveWork) {
  const dataDir = temporaryFolder();
  const store = unwrap(openStore(dataDir));
  const { sampler, setState } = fakeSampler();
  // Nobody waits for samples of a sampler that is not up.
  setState('starting');
  const run = store.createRun({ kind: 'pipeline', model, request: { kind: 'pipeline' } });
  const deps = {
    store,
    sampler,
    samplerIdleIntervalMs: () => 1000,
    workerEntry: fakeWorker().entry,
    clock: systemClock,
    logger: silentLogger,
    traces: { logdir: `${dataDir}/traces` },
    live,
  };
  return { run, work: () => runOrder(run, profileOf(model), deps) };
}

describe('runOrder', () => {
  it('lets others see the run, its phases and its systems while they last', async () => {
    const live = new LiveWork();
    const seen: string[] = [];
    const { run, work } = ordering('tiny', live);
    live.listen({
      phaseEnded: ({ phase, subject }) => seen.push(`${phase} ${subject} of ${live.run?.id}`),
      systemStarted: ({ identity }) => {
        const phases = live.phases.map(({ phase }) => phase);
        seen.push(`${identity.variant} in ${phases}`);
      },
    });
    unwrap(await work());
    expect(seen).toHaveLength(4);
    expect([seen[0], seen[3]]).toEqual([`calibrate int8 of ${run.id}`, `bench single-stream of ${run.id}`]);
    // Which of them starts first, chance decides.
    expect(seen.slice(1, 3).sort()).toEqual(['fp32 in bench', 'int8 in bench']);
    expect(live.run).toBeUndefined();
    expect(live.phases).toEqual([]);
    expect(live.systems).toEqual([]);
  });

  it('says of what was captured that it is no measure, and of what was not nothing', async () => {
    const live = new LiveWork();
    let end = () => {};
    live.listen({
      systemStarted: () => {
        end = live.beginCapture(systemClock.nowNs);
      },
    });
    const { work } = ordering('tiny', live);
    const { variants } = unwrap(await work());
    end();
    const reasons = variants.flatMap(({ bench }) => bench.flatMap(({ invalidReasons }) => invalidReasons));
    expect(reasons.filter((reason) => reason.startsWith('A trace was captured'))).toHaveLength(2);
    const calm = unwrap(await ordering('tiny', new LiveWork()).work());
    expect(JSON.stringify(calm)).not.toContain('A trace was captured');
  });

  it('ends the run for others too where it fails', async () => {
    const live = new LiveWork();
    const { work } = ordering('refuse', live);
    expect(await work()).toMatchObject({ ok: false, error: { kind: 'not-onnx' } });
    expect(live.run).toBeUndefined();
  });
});
