import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ask, serve } from '../../support/server.ts';

describe('GET /metrics', () => {
  it('hands the formats that a scraper reads to the agent, and tells caches that they matter', async () => {
    const asked: (string | undefined)[] = [];
    const renderMetrics = async (accept?: string) => {
      asked.push(accept);
      return { contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8', body: '# EOF\n' };
    };
    const { app } = serve({ renderMetrics });
    const accept = 'application/openmetrics-text;version=1.0.0';
    const answer = await ask(app, { url: '/metrics', headers: { accept } });
    expect(asked).toEqual([accept]);
    expect(answer.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(answer.headers['vary']).toBe('Accept, Accept-Encoding');
    expect(answer.body).toBe('# EOF\n');
  });

  it.each([
    ['gzip', true],
    ['deflate, GZIP;q=0.5', true],
    ['x-gzip', true],
    ['br, gzip ; q=0', false],
    ['gzip;q=0.000', false],
    ['identity', false],
    ['gzipped', false],
    ['', false],
  ])('answers a scrape that accepts the coding "%s" with gzip: %s', async (coding, compressed) => {
    const { app } = serve();
    const answer = await ask(app, { url: '/metrics', headers: { 'accept-encoding': coding } });
    expect(answer.headers['content-encoding']).toBe(compressed ? 'gzip' : undefined);
    const bytes = answer.rawPayload;
    expect((compressed ? gunzipSync(bytes) : bytes).toString()).toBe('ptq_jobs 1\n');
    expect(answer.headers['content-length']).toBe(String(bytes.length));
  });
});
