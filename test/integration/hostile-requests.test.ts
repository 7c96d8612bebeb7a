import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { attemptRequests } from '../support/hostile/attempt-requests.ts';
import type { Operation } from '../support/hostile/hostile-requests.ts';
import { targetOf } from '../support/hostile/hostile-target.ts';
import { isBuilt, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Another number is another set of requests; `npm run perf hostile-requests` sends many. */
const SEED = 1;
const COUNT = 300;
const CANARY = 'a canary that nobody may see';

async function attackable() {
  const folder = temporaryFolder();
  const [profiles, dataDir] = [join(folder, 'profiles'), join(folder, 'data')];
  writeProfile(profiles, 'digits');
  for (const path of [folder, profiles]) writeFileSync(join(path, 'canary'), CANARY);
  const daemon = await startDaemon(profiles, dataDir);
  onTestFinished(() => void daemon.child.kill('SIGKILL'));
  return { daemon, target: await targetOf(daemon, dataDir) };
}

it.skipIf(!isBuilt)(
  'hostile requests end in typed problems, and the daemon goes on',
  async () => {
    const { daemon, target } = await attackable();
    const { answered, statuses, faults } = await attemptRequests(Number(new URL(daemon.url).port), target, {
      seed: SEED,
      count: COUNT,
      secrets: [CANARY, target.token, 'root:x:0'],
    });
    expect(faults).toEqual([]);
    expect(answered).toBeGreaterThan(0.8 * COUNT);
    // They came past the doors, each to something else.
    expect(statuses.size).toBeGreaterThan(6);
    expect((await daemon.get('/-/healthy')).status).toBe(200);
    expect(daemon.stderr()).not.toMatch(/fault while answering|internal-fault/);
    daemon.child.kill('SIGTERM');
    expect(await daemon.finished).toMatchObject({ code: 0 });
  },
  120_000,
);

it.skipIf(!isBuilt)(
  'whatever changes something takes the token alone, asked for as it should be',
  async () => {
    const { daemon, target } = await attackable();
    const changing = target.operations.filter(({ method }) => method !== 'get');
    expect(changing.length).toBeGreaterThan(1);
    const ask = async ({ method, path }: Operation, headers: Readonly<Record<string, string>>) => {
      const filled = path.replace(/\{[^}]+\}/g, () => target.names.at(-1) ?? 'digits');
      const { status, body } = await request(daemon.url, method, filled, headers);
      return `${status} ${body.type}`;
    };
    const right = { authorization: `Bearer ${target.token}` };
    for (const operation of changing) {
      const refused = async (headers: Readonly<Record<string, string>>, answer: string) =>
        expect([operation, headers, await ask(operation, headers)]).toEqual([operation, headers, answer]);
      const wrong = ['', 'Bearer', `Bearer ${target.token}x`, `Basic ${target.token}`, target.token];
      const hosts = ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example'];
      const origins = ['http://evil.example', 'null', `https://${target.host}`];
      await Promise.all([
        refused({}, '401 /problems/unauthorized'),
        ...wrong.map((authorization) => refused({ authorization }, '401 /problems/unauthorized')),
        ...hosts.map((host) => refused({ ...right, host }, '403 /problems/foreign-host')),
        ...origins.map((origin) => refused({ ...right, origin }, '403 /problems/foreign-origin')),
      ]);
    }
    daemon.child.kill('SIGTERM');
    await daemon.finished;
  },
  120_000,
);

/** By node:http, which lets a Host be said that is none. */
function request(url: string, method: string, path: string, headers: Readonly<Record<string, string>>) {
  return new Promise<{ readonly status: number; readonly body: { readonly type?: string } }>(
    (resolve, reject) => {
      const { hostname, port } = new URL(url);
      const sent = httpRequest(
        {
          hostname,
          port,
          method: method.toUpperCase(),
          path,
          // Node.js says of no DELETE by itself how long its body is.
          headers: { 'content-type': 'application/json', 'content-length': 2, ...headers },
        },
        async (answer) => {
          const chunks: Buffer[] = [];
          for await (const chunk of answer) chunks.push(chunk as Buffer);
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: answer.statusCode ?? 0,
            body: text === '' ? {} : (JSON.parse(text) as { type?: string }),
          });
        },
      );
      sent.on('error', reject);
      sent.end('{}');
    },
  );
}
