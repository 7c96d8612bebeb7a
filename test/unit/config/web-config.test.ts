import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadWebConfig } from '../../../src/config/web-config.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const HASH = '$2y$10$W/7DPmL3ej5NlQ9tLWa8geI7SSB1toyrwtJG5xXQ0uQydkxY.Y/8u';

function written(text: string): string {
  const file = join(temporaryFolder(), 'web.yaml');
  writeFileSync(file, text);
  return file;
}

describe('loadWebConfig', () => {
  it('reads what other exporters read, with paths relative to the file', async () => {
    const file = written(`
tls_server_config:
  cert_file: server.crt
  key_file: /etc/keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [scraper.example]
  min_version: TLS13
http_server_config:
  headers: { X-Frame-Options: deny }
basic_auth_users:
  prometheus: ${HASH}
rate_limit: { interval: 10ms, burst: 20 }
`);
    expect(await loadWebConfig(file)).toEqual({
      ok: true,
      value: {
        tls: {
          certFile: file.replace('web.yaml', 'server.crt'),
          keyFile: '/etc/keys/server.key',
          clientAuth: 'RequireAndVerifyClientCert',
          clientCaFile: file.replace('web.yaml', 'ca.crt'),
          clientAllowedSans: ['scraper.example'],
          minVersion: 'TLSv1.3',
          maxVersion: 'TLSv1.3',
        },
        users: new Map([['prometheus', HASH]]),
        headers: { 'X-Frame-Options': 'deny' },
        rateLimit: { intervalMs: 10, burst: 20 },
      },
    });
  });

  it('asks for nothing where it is empty', async () => {
    expect(await loadWebConfig(written('# later\n'))).toEqual({
      ok: true,
      value: { users: new Map(), headers: {} },
    });
  });

  it.each([
    ['a password in clear', `basic_auth_users: { me: secret }`, /the password of "me" is no hash of bcrypt/],
    ['a slip', `tls_server_config: { cert_fil: a, key_file: b }`, /cert_fil/],
    ['a certificate without its key', `tls_server_config: { cert_file: a }`, /key_file/],
    [
      'verification by nobody',
      `tls_server_config: { cert_file: a, key_file: b, client_auth_type: VerifyClientCertIfGiven }`,
      /needs "client_ca_file"/,
    ],
    [
      'names that nobody verifies',
      `tls_server_config: { cert_file: a, key_file: b, client_allowed_sans: [x] }`,
      /not verified/,
    ],
    [
      'a version that is broken',
      `tls_server_config: { cert_file: a, key_file: b, min_version: TLS10 }`,
      /min_version/,
    ],
    [
      'versions that leave none',
      `tls_server_config: { cert_file: a, key_file: b, min_version: TLS13, max_version: TLS12 }`,
      /below/,
    ],
    ['a limit without a time', `rate_limit: { interval: often }`, /no duration/],
    ['text that is no YAML', `a: [`, /not valid YAML/],
  ])('says where %s is', async (_what, text, message) => {
    const file = written(`${text}\n`);
    expect(await loadWebConfig(file)).toMatchObject({
      ok: false,
      error: expect.arrayContaining([
        expect.objectContaining({
          message: expect.stringMatching(message),
          place: expect.objectContaining({ file, line: expect.any(Number) }),
        }),
      ]),
    });
  });

  it('does not tell a password that stands where its hash should', async () => {
    const refused = await loadWebConfig(written('basic_auth_users: { me: hunter2 }\n'));
    expect(JSON.stringify(refused)).not.toContain('hunter2');
  });

  it('names a file that is not there', async () => {
    expect(await loadWebConfig('/none/web.yaml')).toMatchObject({
      ok: false,
      error: [{ kind: 'web-config-not-found', place: { file: '/none/web.yaml' } }],
    });
  });
});
