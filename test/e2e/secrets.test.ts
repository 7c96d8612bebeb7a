import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ended, firstRun, startDaemon } from '../support/daemon.ts';
import { isBuilt, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Each is planted in another place, so that a leak tells where it comes from. */
const PLANTED = {
  bearer: 'planted-bearer-0123456789abcdef',
  password: 'planted-password-correct-horse',
  query: 'planted-query-0123456789abcdef',
  userinfo: 'planted-userinfo-0123456789abcdef',
  host: 'planted-host-0123456789abcdef',
  cookie: 'planted-cookie-0123456789abcdef',
  proxy: 'planted-proxy-0123456789abcdef',
  webConfig: 'planted-webconfig-0123456789abcdef',
} as const;

/** All that lies in a folder, as one text. */
function contentOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');
}

/** Writes bytes as they are, and gives what comes back. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
}

/** Asks as an HTTP client does that may name any Host. */
function ask(url: URL, headers: Readonly<Record<string, string>>, method = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

describe.skipIf(!isBuilt)('What a daemon writes', { timeout: 180_000 }, () => {
  it('holds no secret, of its own or of those who ask, whatever they do with it', async () => {
    const folder = temporaryFolder();
    const [profiles, dataDir, config, web] = ['profiles', 'data', 'agent.yaml', 'web.yaml'].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    mkdirSync(profiles);
    writeProfile(profiles, 'tiny', { duration: '100ms' });
    writeFileSync(config, `log: { level: debug, requests: true }\nwebConfig: ${web}\n`);
    writeFileSync(web, '');
    const env = { HTTPS_PROXY: `http://user:${PLANTED.proxy}@127.0.0.1:1`, MY_API_KEY: PLANTED.proxy };
    const daemon = await startDaemon(profiles, dataDir, { args: ['--config', config], env });
    onTestFinished(async () => {
      daemon.child.kill('SIGKILL');
      await daemon.finished;
    });
    const url = new URL(daemon.url);
    const first = await firstRun(daemon);

    const basic = Buffer.from(`alice:${PLANTED.password}`).toString('base64');
    const answers = [
      await ask(new URL('/bench', url), { authorization: `Bearer ${PLANTED.bearer}` }, 'POST'),
      await ask(new URL('/bench', url), { authorization: `Basic ${basic}` }, 'POST'),
      await ask(new URL('/bench', url), { authorization: PLANTED.bearer }, 'POST'),
      await ask(new URL(`/bench?token=${PLANTED.query}`, url), {}),
      await ask(new URL(`/nowhere?token=${PLANTED.query}`, url), { cookie: `session=${PLANTED.cookie}` }),
      await ask(new URL('/bench', url), { host: `user:${PLANTED.host}@localhost` }),
      await ask(new URL('/bench', url), { origin: `http://user:${PLANTED.host}@elsewhere` }),
      await raw(
        Number(url.port),
        `GET http://user:${PLANTED.userinfo}@localhost/bench HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      ),
      await raw(Number(url.port), `GET /bench HTTP/1.1\r\nauthorization Bearer ${PLANTED.bearer}\r\n\r\n`),
      await (
        await daemon.post(`/bench?key=${PLANTED.query}`, { model: `http://u:${PLANTED.userinfo}@h` })
      ).text(),
    ];
    // A password where a hash belongs, and an address with credentials, are mistakes that people make.
    writeFileSync(web, `basic_auth_users: { alice: ${PLANTED.webConfig} }\n`);
    answers.push(
      await (await daemon.post('/-/reload', {})).text(),
      await (await daemon.get('/-/reload')).text(),
    );
    writeFileSync(web, '');
    writeFileSync(config, `log: { level: debug }\nlisten: http://user:${PLANTED.webConfig}@host:1\n`);
    answers.push(await (await daemon.post('/-/reload', {})).text());
    if (first !== undefined) await ended(daemon, first.id);
    const metrics = await (await daemon.get('/metrics')).text();
    daemon.child.kill('SIGTERM');
    await daemon.finished;

    const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
    writeFileSync(join(dataDir, 'token'), '');
    const written = {
      log: daemon.stderr() + daemon.stdout(),
      'data directory': contentOf(dataDir),
      metrics,
      answers: answers.join('\n'),
    };
    expect(written.log).toContain('"route":"/bench"');
    // None of it where it has not been looked at: what is looked for is there.
    expect(written['data directory']).toContain('SQLite format 3');
    for (const [where, text] of Object.entries(written)) {
      for (const [what, secret] of Object.entries({ ...PLANTED, token, basic }))
        expect(text.includes(secret), `${what} in ${where}`).toBe(false);
    }
    // Each line is an object of its own.
    for (const line of daemon.stderr().trim().split('\n')) JSON.parse(line);
  });
});
