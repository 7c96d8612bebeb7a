import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { samplerLeak } from '../perf/sampler-leak.ts';

const built = existsSync(new URL('../../dist/telemetry/sampler-main.js', import.meta.url));

// `npm run perf sampler-leak` takes 200,000 samples; this finds who keeps the samples themselves.
describe.skipIf(!built || process.platform !== 'linux')('the sampler over thousands of samples', () => {
  it('keeps the memory of both sides flat', { timeout: 120_000 }, async () => {
    const { sampler, daemon } = await samplerLeak(8_000);
    expect(sampler.afterBytes - sampler.beforeBytes).toBeLessThan(6 * 2 ** 20);
    expect(daemon.afterBytes - daemon.beforeBytes).toBeLessThan(24 * 2 ** 20);
  });
});
