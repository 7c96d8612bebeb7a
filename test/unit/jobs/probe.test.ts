import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { ModelRegistry } from '../../../src/jobs/model-registry.ts';
import { Prober } from '../../../src/jobs/probe/prober.ts';
import type { RunView } from '../../../src/jobs/run-view.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { profileOf } from '../../support/profile.ts';
import { unwrap } from '../../support/unwrap.ts';

function proberOf({
  runs = [],
  isBusy = () => false,
}: {
  runs?: readonly RunView[];
  isBusy?: () => boolean;
} = {}) {
  const started = vi.fn();
  const prober = new Prober({
    models: new ModelRegistry([profileOf('tiny')]),
    store: { listRuns: () => runs } as never,
    workerEntry: fakeWorker().entry,
    clock: { wallMs: () => 0, nowNs: process.hrtime.bigint },
    logger: silentLogger,
    metrics: { workerStarted: started, workerEnded: () => {} },
    isBusy,
  });
  return { prober, started };
}

/** The reason that an exposition names. */
async function reasonOf(prober: Prober, more = {}): Promise<string | undefined> {
  const { body } = unwrap(await prober.probe({ model: 'tiny', budgetSeconds: 5, ...more }));
  expect(body).toContain('probe_success 0\n');
  return /ptq_probe_failure\{reason="([^"]+)"\} 1/.exec(body)?.[1];
}

describe('a probe', () => {
  it('leaves a host alone on which a run is under way', async () => {
    const { prober, started } = proberOf({ isBusy: () => true });
    expect(await reasonOf(prober)).toBe('busy');
    expect(started).not.toHaveBeenCalled();
  });

  it('says that a variant was not made yet', async () => {
    const [variant] = profileOf('tiny').variants;
    expect(await reasonOf(proberOf().prober, { variant: variant?.name })).toBe('not-made');
  });

  it('does not begin what a scrape will not wait for', async () => {
    const { prober, started } = proberOf();
    expect(await reasonOf(prober, { suite: 'profile', budgetSeconds: 1 })).toBe('too-long');
    expect(started).not.toHaveBeenCalled();
  });

  it.each([
    ['unknown-model', '/model', { model: 'huge' }],
    ['unknown-variant', '/variant', { variant: 'int2' }],
    ['unknown-suite', '/suite', { suite: 'none' }],
  ])('refuses what is not registered: %s', async (kind, field, more) => {
    const probed = await proberOf().prober.probe({ model: 'tiny', budgetSeconds: 5, ...more });
    expect(probed).toMatchObject({ ok: false, error: { kind, place: { field } } });
  });
});
