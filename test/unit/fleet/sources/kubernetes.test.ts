import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kubeAccess } from '../../../../src/fleet/sources/kube-access.ts';
import { readKubernetesPods } from '../../../../src/fleet/sources/kubernetes.ts';
import { answering } from '../../../support/answering.ts';
import { HAS_OPENSSL, selfSigned } from '../../../support/self-signed.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const QUERY = { selector: 'app=ptq', timeoutMs: 5000 };

function pod(name: string, status: object, more: { metadata?: object; ports?: object[] } = {}) {
  return {
    metadata: { name, namespace: 'ml', ...more.metadata },
    spec: { nodeName: `node-of-${name}`, containers: [{ ports: more.ports }] },
    status,
  };
}

/** A kubeconfig with one context, one cluster and one user. */
function kubeconfig(
  user: object,
  cluster: object = { server: 'http://127.0.0.1:1' },
  context = 'here',
): string {
  const file = join(temporaryFolder(), 'config');
  const named = { cluster: 'c', user: 'u', namespace: 'ml' };
  const config = {
    'current-context': context,
    contexts: [{ name: 'here', context: named }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

describe('readKubernetesPods', () => {
  it('lists pods by their nodes, page after page, and those that are not up with what Kubernetes says', async () => {
    const urls: string[] = [];
    const server = await answering(({ url = '' }) => {
      urls.push(url);
      const isFirst = !url.includes('continue');
      const items = isFirst
        ? [
            pod(
              'a',
              { phase: 'Running', podIP: '10.0.0.1' },
              { ports: [{ containerPort: 1 }, { name: 'http', containerPort: 9000 }] },
            ),
            pod('gone', { phase: 'Running', podIP: '10.0.0.9' }, { metadata: { deletionTimestamp: 'now' } }),
          ]
        : [
            pod('b', { phase: 'Running', podIP: 'fd00::1' }),
            pod('c', { phase: 'Pending', reason: 'Unschedulable', message: 'no GPU is left' }),
          ];
      return { body: { metadata: isFirst ? { continue: 'more' } : {}, items } };
    });
    const targets = unwrap(await readKubernetesPods({ server, namespace: 'ml' }, QUERY, 'https'));
    expect(urls).toEqual([
      '/api/v1/namespaces/ml/pods?labelSelector=app%3Dptq&limit=500',
      '/api/v1/namespaces/ml/pods?labelSelector=app%3Dptq&limit=500&continue=more',
    ]);
    expect(targets.map(({ name, url, note }) => [name, url?.origin, note])).toEqual([
      ['node-of-a', 'https://10.0.0.1:9000', undefined],
      ['node-of-b', 'https://[fd00::1]:9477', undefined],
      ['node-of-c', undefined, 'its pod is Pending: Unschedulable, no GPU is left'],
    ]);
    expect(targets[0]?.labels).toEqual({
      pod: 'a',
      namespace: 'ml',
      node: 'node-of-a',
      instance: 'node-of-a',
    });
  });

  it('asks for all namespaces where that is wanted', async () => {
    const urls: (string | undefined)[] = [];
    const server = await answering(({ url }) => {
      urls.push(url);
      return { body: { items: [] } };
    });
    await readKubernetesPods({ server, namespace: 'ml' }, { ...QUERY, namespace: '*' }, 'http');
    expect(urls).toEqual([expect.stringMatching(/^\/api\/v1\/pods\?/)]);
  });

  it.each([
    [{ status: 403, body: {} }, 'discovery-refused', /list pods/],
    [{ status: 500, body: {} }, 'discovery-refused', /address/],
    [{ body: 'x' }, 'discovery-malformed', /address/],
    [{ body: { items: [{}] } }, 'discovery-malformed', /address/],
  ])('says what is wrong where the answer is %j', async (answer, kind, hint) => {
    const server = await answering(() => answer);
    expect(await readKubernetesPods({ server, namespace: 'ml' }, QUERY, 'http')).toMatchObject({
      ok: false,
      error: [{ kind, hint: expect.stringMatching(hint) }],
    });
  });

  it.skipIf(!HAS_OPENSSL)(
    'shows a token to a server whose certificate is of the authority that the kubeconfig names (needs openssl)',
    async () => {
      const { key, cert, certFile } = selfSigned();
      const seen: (string | undefined)[] = [];
      const server = await answering(
        ({ headers }) => {
          seen.push(headers.authorization);
          return { body: { items: [] } };
        },
        { cert, key },
      );
      const cluster = { server: server.href, 'certificate-authority': certFile };
      const known = unwrap(kubeAccess(undefined, { KUBECONFIG: kubeconfig({ token: 'secret' }, cluster) }));
      expect(await readKubernetesPods(known, QUERY, 'http')).toEqual({ ok: true, value: [] });
      expect(seen).toEqual(['Bearer secret']);
      const unknown = unwrap(kubeAccess(undefined, { KUBECONFIG: kubeconfig({}, { server: server.href }) }));
      expect(await readKubernetesPods(unknown, QUERY, 'http')).toMatchObject({
        error: [{ kind: 'discovery-unreachable', message: expect.stringContaining('self-signed') }],
      });
    },
  );
});

describe('kubeAccess', () => {
  it('reads the current context of a kubeconfig, with its files beside it', () => {
    const data = Buffer.from('PEM').toString('base64');
    const user = { 'client-certificate-data': data, 'client-key-data': data };
    const file = kubeconfig(user, { server: 'https://api:6443', 'certificate-authority-data': data });
    expect(unwrap(kubeAccess(undefined, { KUBECONFIG: file }))).toEqual({
      ...{ server: new URL('https://api:6443'), namespace: 'ml', ca: 'PEM' },
      client: { cert: 'PEM', key: 'PEM' },
    });
  });

  it('takes an address as it is', () => {
    const server = new URL('http://127.0.0.1:8001');
    expect(unwrap(kubeAccess(server, {}))).toEqual({ server, namespace: 'default' });
  });

  it.each([
    [
      'a program makes the credentials',
      () => kubeconfig({ exec: { command: 'aws' } }),
      'kubeconfig-unsupported',
    ],
    ['the context is unknown', () => kubeconfig({}, undefined, 'other'), 'kubeconfig-malformed'],
    ['the server is no URL', () => kubeconfig({}, { server: 'x' }), 'kubeconfig-malformed'],
    ['the file is missing', () => '/nowhere/config', 'kubeconfig-unreadable'],
    ['a file that it names is missing', () => kubeconfig({ tokenFile: 'gone' }), 'kubeconfig-unreadable'],
  ])('says so where %s', (_what, make, kind) => {
    expect(kubeAccess(undefined, { KUBECONFIG: make() })).toMatchObject({
      error: { kind, hint: expect.stringContaining('kubectl proxy') },
    });
  });
});
