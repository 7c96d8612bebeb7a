import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TlsConfig } from '../../src/config/web-config.ts';
import { type Logger, silentLogger } from '../../src/core/log.ts';
import { followTlsFiles, tlsOptions } from '../../src/server/access/tls.ts';
import { HAS_OPENSSL } from '../support/self-signed.ts';
import { OPEN, serve, TOKEN } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

/** An authority, and what it signs. */
function authority() {
  const folder = temporaryFolder();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=authority',
  );
  const sign = (name: string, san: string) => {
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${san}\n`);
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-extfile', `${name}.ext`, '-out', `${name}.crt`);
    return { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  };
  return { caFile: join(folder, 'ca.crt'), sign };
}

async function listening(
  config: Partial<TlsConfig>,
  more: { readonly logger?: Logger; readonly guardsReading?: boolean } = {},
) {
  const ours = authority();
  const server = ours.sign('server', 'IP:127.0.0.1');
  const tls: TlsConfig = {
    ...server,
    clientAuth: 'NoClientCert',
    clientCaFile: ours.caFile,
    clientAllowedSans: [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ...config,
  };
  const access = {
    ...OPEN,
    guardsReading: more.guardsReading ?? true,
    clientAuth: tls.clientAuth,
    clientAllowedSans: tls.clientAllowedSans,
  };
  const { app } = serve({}, { access, https: unwrap(await tlsOptions(tls)) });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(followTlsFiles(app.server as unknown as Server, tls, more.logger ?? silentLogger, 20));
  const port = Number(new URL(address).port);
  return {
    ...ours,
    tls,
    port,
    ask: (client?: typeof server, method = 'GET', token?: string) =>
      statusOf(port, ours.caFile, { client, method, token }),
  };
}

/** The status of an answer, or the code of the failure where there was none. */
function statusOf(
  port: number,
  caFile: string,
  {
    client,
    method,
    token,
  }: { client: { certFile: string; keyFile: string } | undefined; method: string; token: string | undefined },
): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(
      {
        port,
        host: '127.0.0.1',
        path: '/bench',
        method,
        agent: false,
        ca: readFileSync(caFile),
        ...(client === undefined
          ? {}
          : { cert: readFileSync(client.certFile), key: readFileSync(client.keyFile) }),
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      (answer) => resolve(answer.resume().statusCode ?? 0),
    );
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}

describe.skipIf(!HAS_OPENSSL)('a server with a certificate (skipped where openssl is missing)', () => {
  it('answers over TLS, by the same rules', async () => {
    const { ask } = await listening({});
    expect(await ask()).toBe(401);
    expect(await ask(undefined, 'GET', TOKEN)).toBe(200);
  });

  it('takes a client that an authority vouches for, and no other, where it must be', async () => {
    const { ask, sign } = await listening({ clientAuth: 'RequireAndVerifyClientCert' });
    expect(await ask(sign('client', 'DNS:scraper.example'))).toBe(200);
    expect(await ask(undefined, 'GET', TOKEN)).toEqual(expect.any(String));
    expect(await ask(authority().sign('stranger', 'DNS:scraper.example'), 'GET', TOKEN)).toEqual(
      expect.any(String),
    );
  });

  it('takes a client only under the names that are allowed', async () => {
    const { ask, sign } = await listening({
      clientAuth: 'RequireAndVerifyClientCert',
      clientAllowedSans: ['scraper.example', '10.0.0.7'],
    });
    expect(await ask(sign('a', 'DNS:other.example,DNS:scraper.example'))).toBe(200);
    expect(await ask(sign('b', 'IP:10.0.0.7'))).toBe(200);
    expect(await ask(sign('c', 'DNS:other.example'), 'GET', TOKEN)).toBe(403);
    expect(await ask(sign('d', 'DNS:xscraper.example'))).toBe(403);
  });

  it('lets a certificate stand in for the token, and the token for a certificate, where either will do', async () => {
    const { ask, sign } = await listening({ clientAuth: 'VerifyClientCertIfGiven' });
    expect(await ask(sign('client', 'DNS:a'), 'POST')).toBe(400);
    expect(await ask()).toBe(401);
    expect(await ask(undefined, 'GET', TOKEN)).toBe(200);
    expect(await ask(authority().sign('stranger', 'DNS:a'), 'GET', TOKEN)).toBe(403);
  });

  it('does not take a certificate for a credential that nobody verified', async () => {
    const { ask, sign } = await listening({ clientAuth: 'RequireAnyClientCert' });
    expect(await ask(sign('client', 'DNS:a'))).toBe(401);
    expect(await ask(sign('client', 'DNS:a'), 'GET', TOKEN)).toBe(200);
    expect(await ask(undefined, 'GET', TOKEN)).toBe(403);
  });

  it('takes up a renewed certificate, and keeps the old one where the new one is broken', async () => {
    const logged: string[] = [];
    const note = (message: string) => void logged.push(message);
    const { tls, port, sign } = await listening({}, { logger: { ...silentLogger, info: note, error: note } });
    const serial = () =>
      new Promise<string>((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
          socket.destroy();
        });
      });
    const until = async (word: string) => {
      while (!logged.some((line) => line.includes(word)))
        await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const old = await serial();
    writeFileSync(tls.certFile, 'broken');
    await until('TLS cannot be offered');
    expect(await serial()).toBe(old);
    const renewed = sign('renewed', 'IP:127.0.0.1');
    copyFileSync(renewed.keyFile, tls.keyFile);
    copyFileSync(renewed.certFile, tls.certFile);
    await until('taken up anew');
    expect(await serial()).not.toBe(old);
  });

  it('names the file that cannot be used', async () => {
    const ours = authority();
    const server = ours.sign('server', 'IP:127.0.0.1');
    const other = ours.sign('other', 'IP:127.0.0.1');
    const rest = {
      clientAuth: 'NoClientCert',
      clientAllowedSans: [],
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
    } as const;
    const missing = join(temporaryFolder(), 'none.key');
    expect(await tlsOptions({ ...server, ...rest, keyFile: missing })).toMatchObject({
      error: { kind: 'tls-unusable', message: expect.stringContaining('ENOENT'), place: { file: missing } },
    });
    expect(await tlsOptions({ ...server, ...rest, keyFile: other.keyFile })).toMatchObject({
      error: {
        kind: 'tls-unusable',
        message: expect.stringMatching(/mismatch/),
        place: { file: server.certFile },
      },
    });
  });
});
