import { mutate } from './mutate.ts';
import { type Seeded, seeded } from './seeded.ts';

/** An operation of the API, as `/openapi.json` lists it. */
export interface Operation {
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
}

/** A request as it goes over the wire. */
export interface HostileRequest {
  readonly method: string;
  readonly bytes: Buffer;
  /** It shows the right token, to the right host and from nowhere else. */
  readonly isAuthorized: boolean;
  /** Its end can be told, so that an answer has to come. */
  readonly isWhole: boolean;
}

/** Credentials and addresses that make a request a good one. */
export interface Target {
  readonly host: string;
  readonly token: string;
  readonly operations: readonly Operation[];
  /** Things that exist, for parameters of paths. */
  readonly names: readonly string[];
}

/** For every part of a path. */
const NAMES: readonly string[] = [
  '..',
  '../../../../etc/passwd',
  '..%2f..%2f..%2fcanary',
  '%2e%2e%2f%2e%2e%2fcanary',
  '..%5c..%5ccanary',
  '%00',
  '%',
  '%zz',
  '%c0%af',
  '%ff%fe',
  '__proto__',
  'constructor',
  'toString',
  '.',
  '',
  '*',
  ':id',
  '{id}',
  '01J00000000000000000000000',
  'ZZZZZZZZZZZZZZZZZZZZZZZZZZ',
  "'; DROP TABLE runs; --",
  '%F0%9F%92%A9',
  '%0d%0aX-Injected:%201',
  '%E2%80%AE',
  'a'.repeat(300),
  'a'.repeat(5000),
];

const QUERIES: readonly string[] = [
  '?limit=-1',
  '?limit=1e9',
  '?limit=NaN',
  '?limit=99999999999999999999',
  '?limit=1&limit=2',
  '?__proto__[x]=1',
  '?constructor.prototype.x=1',
  '?before=../../x',
  '?state=%00',
  '?model[]=a&model[]=b',
  `?model=${'a'.repeat(7000)}`,
  '?from=-1e308&to=1e308&points=1e12',
  '?columns=*,*,*,%00',
  '?format=../../../etc/passwd',
  '?%zz',
  '?&&&&=&=',
];

const METHODS: readonly string[] = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'PURGE',
  'get',
  'G E T',
  'X'.repeat(200),
];

const HOSTS: readonly string[] = [
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '[::1',
  '',
  'a b',
];

const ORIGINS: readonly string[] = [
  'http://evil.example',
  'null',
  'https://127.0.0.1',
  'file://',
  'http://127.0.0.1:1',
];

const CREDENTIALS: readonly string[] = [
  'Bearer wrong',
  'Bearer ',
  'Bearer',
  'bearer\t',
  'Basic YWRtaW46YWRtaW4=',
  'Basic !!!',
  `Bearer ${'a'.repeat(6000)}`,
  'Digest username="x"',
  'Bearer null',
  'Bearer undefined',
];

const HEADERS: readonly (readonly [string, string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=utf-7'],
  ['content-type', 'multipart/form-data; boundary=x'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', ';;;'],
  ['content-encoding', 'gzip'],
  ['accept', 'application/json;q=abc, */*;q=-1'],
  ['accept-encoding', 'gzip;q=NaN, br;q=1e999'],
  ['if-none-match', `"${'a'.repeat(3000)}"`],
  ['if-none-match', '*'],
  ['if-modified-since', 'Thu, 99 Foo 9999 99:99:99 GMT'],
  ['range', 'bytes=-1-,5-2,99999999999999999999-'],
  ['range', `bytes=${'0-1,'.repeat(1000)}0-1`],
  ['last-event-id', '-1'],
  ['last-event-id', '99999999999999999999'],
  ['idempotency-key', ''],
  ['idempotency-key', 'k'.repeat(5000)],
  ['idempotency-key', '../../x'],
  ['prefer', 'wait=1e9'],
  ['x-forwarded-for', '127.0.0.1'],
  ['x-forwarded-host', 'evil.example'],
  ['x-http-method-override', 'DELETE'],
  ['x-original-url', '/metrics'],
  ['upgrade', 'websocket'],
  ['upgrade', 'h2c'],
  ['expect', '100-continue'],
  ['expect', 'the-unexpected'],
  ['te', 'trailers, deflate;q=0.5'],
  ['connection', 'close, x-injected'],
  ['cookie', 'a=b; '.repeat(500)],
  ['x-long', 'a'.repeat(20_000)],
  ['x-\u00e9', 'latin'],
  ['proxy-authorization', 'Basic x'],
];

const BODIES: readonly string[] = [
  '{}',
  '[]',
  'null',
  '"x"',
  '1e999',
  '{"model":"digits"',
  '{"__proto__":{"admin":true},"model":"digits"}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"model":"digits","model":"other"}',
  '{"model":{"$gt":""}}',
  '{"model":["digits"]}',
  '{"model":"../../../../etc/passwd"}',
  '{"model":"digits","durationSeconds":1e999}',
  '{"model":"digits","durationSeconds":-1}',
  '{"model":"digits","durationSeconds":9007199254740993}',
  '{"model":"digits","variants":[null,1,{}]}',
  '{"model":"digits","scenario":"\\u0000"}',
  `{"model":"${'a'.repeat(40_000)}"}`,
  '['.repeat(30_000),
  `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  'a'.repeat(70_000),
  '\uFEFF{"model":"digits"}',
  '{"model":"digits","unknown":1}',
  '\u0000\u0001\u0002',
];

/** What is known to be taken; with something changed it is nearly. */
const GOOD_BODY = '{"model":"digits","variants":["fp32"],"scenario":"single-stream","durationSeconds":0.2}';

/** The request of a seed: mostly something that nearly is a request to an operation that there is. */
export function hostileRequest(seed: number, target: Target): HostileRequest {
  const random = seeded(seed);
  const operation = random.pick(target.operations);
  const method = random.happens(0.75) ? operation.method.toUpperCase() : random.pick(METHODS);
  const path = pathOf(operation, target, random);
  const body = bodyOf(method, random);
  const isForeign = random.happens(0.2);
  const hasToken = random.happens(0.6);
  const host = isForeign && random.happens(0.5) ? random.pick(HOSTS) : target.host;
  const origin = isForeign && host === target.host ? random.pick(ORIGINS) : undefined;
  const credential = hasToken
    ? `Bearer ${target.token}`
    : random.happens(0.5)
      ? random.pick(CREDENTIALS)
      : undefined;
  const lines: [string, string][] = [['host', host]];
  if (origin !== undefined) lines.push(['origin', origin]);
  if (credential !== undefined) lines.push(['authorization', credential]);
  if (body !== undefined && random.happens(0.8)) lines.push(['content-type', 'application/json']);
  for (let more = random.below(3); more > 0; more--) lines.push([...random.pick(HEADERS)]);
  if (random.happens(0.03)) for (let more = 0; more < 2500; more++) lines.push([`x-${more}`, 'y']);
  const framing = frame(body, random);
  const head = `${method} ${path} HTTP/1.${random.happens(0.9) ? 1 : random.below(10)}\r\n`;
  const headers = [...lines, ...framing.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const bytes = Buffer.concat([
    Buffer.from(`${head}${headers}connection: close\r\n\r\n`, 'utf8'),
    framing.body,
  ]);
  const isMutated = random.happens(0.1);
  return {
    method,
    bytes: isMutated ? Buffer.from(mutate(bytes, random)) : bytes,
    isAuthorized: hasToken && !isForeign && !isMutated,
    isWhole:
      framing.isWhole && !isMutated && !lines.some(([name]) => name === 'expect' || name === 'upgrade'),
  };
}

function pathOf({ path }: Operation, { names }: Target, random: Seeded): string {
  const filled = path.replace(/\{[^}]+\}/g, () =>
    random.happens(0.5) ? encodeURIComponent(random.pick(names)) : random.pick(NAMES),
  );
  const query = random.happens(0.3) ? random.pick(QUERIES) : '';
  switch (random.below(14)) {
    case 0:
      return `/${filled}${query}`;
    case 1:
      return `http://evil.example${filled}${query}`;
    case 2:
      return `${filled}/${random.pick(NAMES)}${query}`;
    case 3:
      return `${filled};x=1${query}#fragment`;
    case 4:
      return random.pick(NAMES) || '*';
    case 5:
      return `/assets/${random.pick(NAMES)}`;
    default:
      return `${filled}${query}`;
  }
}

function bodyOf(method: string, random: Seeded): Buffer | undefined {
  if (['GET', 'HEAD'].includes(method) ? random.happens(0.9) : random.happens(0.15)) return undefined;
  const good = Buffer.from(GOOD_BODY);
  if (random.happens(0.4)) return Buffer.from(mutate(good, random));
  return Buffer.from(random.pick(BODIES), 'utf8');
}

/** How the length of a body is told: rightly, wrongly, twice, in pieces, or in a way that two servers would read differently. */
function frame(body: Buffer | undefined, random: Seeded) {
  const whole = (headers: [string, string][], bytes: Buffer) => ({ headers, body: bytes, isWhole: true });
  const broken = (headers: [string, string][], bytes: Buffer) => ({ headers, body: bytes, isWhole: false });
  if (body === undefined) return whole([], Buffer.alloc(0));
  const length: [string, string] = ['content-length', String(body.length)];
  const chunked = Buffer.concat([
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
  const smuggled = Buffer.from('0\r\n\r\nDELETE /bench/1 HTTP/1.1\r\nhost: x\r\n\r\n');
  switch (random.below(16)) {
    case 0:
      return broken([['content-length', String(body.length + 10)]], body);
    case 1:
      return broken([['content-length', '-1']], body);
    case 2:
      return broken([['content-length', '99999999999999999999']], body);
    case 3:
      return broken([length, ['content-length', String(body.length + 1)]], body);
    case 4:
      return broken([length, ['transfer-encoding', 'chunked']], smuggled);
    case 5:
      return broken([['transfer-encoding', 'xchunked']], body);
    case 6:
      return broken([['transfer-encoding', 'chunked']], Buffer.from('zz\r\nx\r\n'));
    case 7:
      return broken([['transfer-encoding', 'chunked']], Buffer.from('ffffffffffffffff\r\nx\r\n'));
    case 8:
      return body.length === 0 ? whole([length], body) : whole([['transfer-encoding', 'chunked']], chunked);
    case 9:
      return broken([['content-length', '5']], body);
    default:
      return whole([length], body);
  }
}
