import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Daemon, ended, startDaemon, until } from '../support/daemon.ts';
import { type ApiDescription, mistakesIn, operationOf } from '../support/described-answers.ts';
import { isBuilt, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const running: Daemon[] = [];

afterEach(async () => {
  for (const daemon of running.splice(0)) {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
  }
});

interface Asked {
  readonly method?: string;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Without fetch, which sets headers such as Host by itself. Answers without an end are cut after their first piece. */
function ask(
  url: string,
  { method = 'GET', body, headers = {} }: Asked,
  isEndless: boolean,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    // Of a DELETE it would not say by itself that there is a body.
    const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) };
    const sent = request(url, { method, headers: { ...headers, ...length }, timeout: 60_000 }, (answer) => {
      let received = '';
      const done = () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: received });
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        received += piece;
        if (!isEndless) return;
        done();
        answer.destroy();
      });
      answer.on('end', done);
    });
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${url}`)));
    sent.end(text);
  });
}

/** An operation asked for as it must not be. */
function wrongWays(
  template: string,
  method: string,
  somewhere: Readonly<Record<string, string>>,
): readonly (readonly [path: string, asked: Asked])[] {
  const filled = (value: (name: string) => string) =>
    template.replace(/\{([a-z]+)\}/g, (_, name: string) => value(name));
  const path = filled((name) => somewhere[name] ?? '');
  const json = { 'content-type': 'application/json' };
  const body = method === 'GET' ? {} : { body: { model: 'nothing', variants: ['none'] } };
  const bodies: readonly Asked[] = [
    { body: '{', headers: json },
    { body: 'x', headers: { 'content-type': 'text/x' } },
    { body: 'x'.repeat(70_000), headers: json },
  ];
  return [
    [path, { method, ...body, headers: { host: 'evil.example' } }],
    [path, { method, ...body, headers: { authorization: 'Bearer wrong' } }],
    [filled(() => 'nothing'), { method, ...body }],
    [filled(() => '%ZZ'), { method, ...body }],
    // What a DELETE asks for would be done.
    ...(method === 'DELETE' ? [] : [[`${path}?nothing=1`, { method, ...body }] as const]),
    ...(method === 'GET' ? [] : bodies.map((asked) => [path, { ...asked, method }] as const)),
  ];
}

/** What only a host, a disk or a configuration can bring about that this test does not have. */
const NOT_PROVOKED = ['429', '500', '503', '507'];
/** External data has only what is too large for one file, 2 GB. Its answers are those of the file itself (`models-route.test.ts`). */
const ONLY_OF_LARGE_MODELS = [200, 206, 304, 412, 416].map((status) => `getVariantData ${status}`);

/** Nothing regresses here; `alerting.test.ts` has a model that does, and `watch-routes.test.ts` the answer. */
const ONLY_OF_REGRESSIONS = ['acknowledgeRegression 200'];
/** A search takes a minute. Its answers are described ones in `search-route.test.ts`. */
const ONLY_OF_SEARCHES = [200, 304].map((status) => `getVariantSearch ${status}`);

describe.skipIf(!isBuilt)('the API of a daemon (skipped where `npm run build` was not run)', () => {
  it('answers every operation as it is described, and every status that can be brought about', {
    timeout: 240_000,
  }, async () => {
    const folder = temporaryFolder();
    const [profiles, dataDir] = [join(folder, 'profiles'), join(folder, 'data')];
    writeProfile(profiles, 'tiny', { explain: true });
    const daemon = await startDaemon(profiles, dataDir);
    running.push(daemon);
    const description = (await (await daemon.get('/openapi.json')).json()) as ApiDescription;
    const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
    const mistakes: string[] = [];
    const seen = new Set<string>();

    const see = async (path: string, asked: Asked = {}): Promise<Answer> => {
      const { method = 'GET' } = asked;
      const isEndless = path.startsWith('/telemetry');
      const headers = {
        authorization: `Bearer ${token}`,
        ...(typeof asked.body === 'object' ? { 'content-type': 'application/json' } : {}),
        ...asked.headers,
      };
      const answer = await ask(daemon.url + path, { ...asked, headers }, isEndless);
      const plain = path.split('?', 1)[0] ?? '';
      const contentType = String(answer.headers['content-type'] ?? '');
      mistakes.push(...mistakesIn(description, { method, path: plain, contentType, ...answer }));
      if (answer.status >= 500)
        mistakes.push(`${method} ${path} is answered with ${answer.status} ${answer.body}`);
      seen.add(`${operationOf(description, method, plain)?.operationId} ${answer.status}`);
      expect(answer.headers['ptq-api-version'], path).toBe(description.info.version);
      return answer;
    };
    const post = (path: string, body: object | string, headers = {}) =>
      see(path, { method: 'POST', body, headers });

    // While the first run is under way.
    const first = await until(async () => (await daemon.runs()).at(-1));
    await see(`/bench/${first.id}/result`);
    await see(`/bench/${first.id}/samples`);
    await see(`/bench/compare?base=${first.id}&head=${first.id}`);
    await see('/probe?model=tiny');
    await see(`/bench/${first.id}`, { method: 'DELETE' });
    const order = { model: 'tiny', scenario: 'single-stream', durationSeconds: 0.2 };
    const waiting = JSON.parse(
      (await post('/bench', { ...order, trace: true }, { 'idempotency-key': 'a' })).body,
    ) as {
      id: string;
    };
    await post('/bench', { ...order, threads: 2 }, { 'idempotency-key': 'a' });
    await post('/bench?dryRun=true', order);
    expect((await ended(daemon, first.id)).state).toBe('succeeded');
    await see(`/bench/${waiting.id}`, { headers: { prefer: 'wait=30' } });
    expect((await ended(daemon, waiting.id)).state).toBe('succeeded');

    await post(`/bench/${waiting.id}/cancel`, '');
    const cancelled = JSON.parse((await post('/bench', order)).body) as { id: string };
    await post(`/bench/${cancelled.id}/cancel`, '');
    await ended(daemon, cancelled.id);
    expect((await post('/bench', order, { prefer: 'wait=30' })).status).toBe(200);
    for (const path of ['/quantize', '/evaluate', '/explain', '/run']) {
      await post(path, { model: 'tiny' }, { prefer: 'wait=30' });
      const again = JSON.parse((await post(path, { model: 'tiny' })).body) as { id: string };
      await post(`/bench/${again.id}/cancel`, '');
      await ended(daemon, again.id);
    }

    const run = `/bench/${first.id}`;
    const files = ['/models/tiny/variants/int8/file', '/models/tiny/variants/int8/data'];
    for (const path of [
      ...['/', '/metrics', '/-/healthy', '/-/ready', '/openapi.json', '/problems', '/problems/queue-full'],
      ...[
        '/host',
        '/settings',
        '/-/reload',
        '/telemetry',
        '/assets/main.js',
        '/assets/main.css',
        '/probe?model=tiny',
      ],
      ...['/models', '/models/tiny', '/models/tiny/history', '/models/tiny/watch', ...files],
      '/models/tiny/variants/int8/sensitivity',
      ...['/bench', '/bench/arrivals', run, `${run}/result`, `${run}/samples`, `${run}/samples?format=csv`],
      ...[`${run}/events`, `${run}/timeline`, `${run}/changed/int8`, `${run}/trace`],
      `/bench/${waiting.id}/trace`,
      `/bench/compare?base=01M83MHX4BNBFSWHZ8PWNPP7QM&head=${first.id}`,
      '/probe?model=nothing',
      `/bench/compare?base=${first.id}&head=${waiting.id}`,
      `/bench/compare?base=${first.id}&head=${waiting.id}&headVariant=none`,
    ]) {
      const answer = await see(path);
      const etag = answer.headers['etag'];
      if (typeof etag === 'string') await see(path, { headers: { 'if-none-match': etag } });
    }
    for (const file of files) {
      await see(file, { headers: { range: 'bytes=0-9' } });
      await see(file, { headers: { range: 'bytes=99999999-' } });
      await see(file, { headers: { 'if-match': '"other"' } });
    }
    await see(`${run}/timeline?columns=none`);
    for (const change of ['acknowledge', 'baseline']) {
      await post(`/models/tiny/${change}`, { reason: 'none', variant: 'none' });
      await post(`/models/nothing/${change}`, { reason: 'none' });
    }
    await post('/models/tiny/baseline', { reason: 'retrained', kind: 'accuracy' });

    const somewhere = { id: first.id, model: 'tiny', variant: 'int8', kind: 'queue-full' };
    for (const [template, methods] of Object.entries(description.paths)) {
      for (const name of Object.keys(methods)) {
        for (const [path, asked] of wrongWays(template, name.toUpperCase(), somewhere))
          await see(path, asked);
      }
    }
    await post('/run', { model: 'nothing' });
    await see(`/bench/${waiting.id}`, { method: 'DELETE' });
    await post('/-/reload', '');
    writeProfile(profiles, 'broken');
    writeFileSync(join(profiles, 'broken/profile.yaml'), 'name: [');
    await post('/-/reload', '');

    expect(mistakes).toEqual([]);
    const described = Object.values(description.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ operationId, responses }) =>
        Object.keys(responses).map((status) => `${operationId} ${status}`),
      );
    const unseen = described.filter(
      (name) =>
        !seen.has(name) &&
        !ONLY_OF_LARGE_MODELS.includes(name) &&
        !ONLY_OF_REGRESSIONS.includes(name) &&
        !ONLY_OF_SEARCHES.includes(name) &&
        !NOT_PROVOKED.some((status) => name.endsWith(status)),
    );
    expect(unseen).toEqual([]);
  });
});
