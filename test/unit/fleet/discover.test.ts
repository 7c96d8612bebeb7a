import { describe, expect, it } from 'vitest';
import { discoverAgents, type FleetSources } from '../../../src/fleet/discover.ts';
import { answering } from '../../support/answering.ts';
import { unwrap } from '../../support/unwrap.ts';

const NOTHING: FleetSources = { agents: [], files: [], httpSd: [], job: 'ptq-agent', scheme: 'http' };

function discover(sources: Partial<FleetSources>, more: { token?: string; timeoutMs?: number } = {}) {
  return discoverAgents(
    { ...NOTHING, ...sources },
    {
      timeoutMs: 5000,
      env: {},
      readText: async (file) => {
        if (file === 'agents.json') return '[{"targets":["a:9477","b:9477"]}]';
        throw Object.assign(new Error(), { code: 'ENOENT' });
      },
      ...more,
    },
  );
}

const problemsOf = async (...args: Parameters<typeof discover>) => {
  const found = await discover(...args);
  return found.ok ? [] : found.error;
};

describe('discoverAgents', () => {
  it('joins what all sources list, each agent once', async () => {
    const sd = await answering(() => ({ body: [{ targets: ['b:9477', 'c:9477'] }] }));
    const found = unwrap(await discover({ agents: ['a:9477'], files: ['agents.json'], httpSd: [sd] }));
    expect(found.map(({ name }) => name)).toEqual(['a:9477', 'b:9477', 'c:9477']);
  });

  it('takes the agents of a job from a Prometheus, below a path too, and what it says of them', async () => {
    const target = (job: string, scrapeUrl: string, lastError = '') => ({
      labels: { job, instance: `${job}-1`, rack: 'a' },
      scrapeUrl,
      health: lastError === '' ? 'up' : 'down',
      lastError,
    });
    const paths: (string | undefined)[] = [];
    const prometheus = await answering(({ url }) => {
      paths.push(url);
      const activeTargets = [
        target('ptq-agent', 'https://gpu-1:9477/metrics'),
        {
          ...target('ptq-agent', 'http://gpu-2:9477/metrics', 'connection refused'),
          labels: { job: 'ptq-agent' },
        },
        target('node', 'http://gpu-1:9100/metrics'),
      ];
      return { body: { status: 'success', data: { activeTargets } } };
    });
    const found = unwrap(await discover({ prometheus: new URL('/below', prometheus) }));
    expect(paths).toEqual(['/below/api/v1/targets?state=active']);
    expect(found).toMatchObject([
      { name: 'ptq-agent-1', labels: { rack: 'a' }, url: { origin: 'https://gpu-1:9477' } },
      { name: 'gpu-2:9477', note: 'Prometheus cannot scrape it: connection refused' },
    ]);
  });

  it('shows a source its credential, from the URL or the token', async () => {
    const seen: (string | undefined)[] = [];
    const url = await answering(({ headers }) => {
      seen.push(headers.authorization);
      return { body: [{ targets: ['a:1'] }] };
    });
    const withUser = new URL(url);
    withUser.username = 'me';
    withUser.password = 'p%20w';
    await discover({ httpSd: [withUser] });
    await discover({ httpSd: [url] }, { token: 't' });
    await discover({ httpSd: [url] });
    expect(seen).toEqual([`Basic ${Buffer.from('me:p w').toString('base64')}`, 'Bearer t', undefined]);
  });

  it.each([
    ['no JSON', { body: '<html>' }, 'discovery-malformed', /no JSON/],
    ['something else', { body: { a: 1 } }, 'discovery-malformed', /no list of target groups: .*object/],
    [
      'a bad address',
      { body: [{ targets: ['a b'] }] },
      'discovery-malformed',
      /'a b' is not the address.* at \/0/,
    ],
    ['no', { status: 401, body: '' }, 'discovery-refused', /answers 401/],
    ['far too much', { body: `["${'x'.repeat(33 * 2 ** 20)}"]` }, 'discovery-refused', /more than 32 MiB/],
  ])('says what is wrong with a discovery that answers %s', async (_what, answer, kind, message) => {
    const url = await answering(() => answer);
    expect(await problemsOf({ httpSd: [url] })).toMatchObject([
      { kind, message: expect.stringMatching(message), hint: expect.any(String) },
    ]);
  });

  it('says what is wrong with a Prometheus that is none', async () => {
    const url = await answering(() => ({ body: { data: {} } }));
    expect(await problemsOf({ prometheus: url })).toMatchObject([{ kind: 'discovery-malformed' }]);
  });

  it('gives up a source that does not answer', async () => {
    const url = await answering(() => undefined);
    const silent = await problemsOf({ httpSd: [url] }, { timeoutMs: 50 });
    expect(silent).toMatchObject([
      { kind: 'discovery-unreachable', message: expect.stringContaining('nothing came within 0.05 s') },
    ]);
    expect(await problemsOf({ prometheus: new URL('http://127.0.0.1:2/') })).toMatchObject([
      { kind: 'discovery-unreachable', message: expect.stringContaining('ECONNREFUSED') },
    ]);
  });

  it('tells the problems of all sources at once, and where nothing is listed', async () => {
    const both = await problemsOf({ agents: ['a b'], files: ['gone'] });
    expect(both.map(({ kind }) => kind)).toEqual(['target-malformed', 'targets-unreadable']);
    expect(await problemsOf({})).toMatchObject([{ kind: 'no-agents' }]);
    const empty = await answering(() => ({ body: { data: { activeTargets: [] } } }));
    expect(await problemsOf({ prometheus: empty })).toMatchObject([
      { kind: 'no-agents', message: "no agent is listed of the job 'ptq-agent' (--job)" },
    ]);
  });
});
