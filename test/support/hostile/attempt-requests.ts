import { connect } from 'node:net';
import { type HostileRequest, hostileRequest, type Target } from './hostile-requests.ts';

/** What came of hostile requests. */
export interface RequestOutcomes {
  readonly attempts: number;
  readonly answered: number;
  readonly statuses: ReadonlyMap<number, number>;
  /** What must not happen, each with the seed that brings it back. */
  readonly faults: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** A stream never ends, and a large file takes its time; both have answered by then. */
const MOST_BYTES = 256 * 1024;
const STREAM_MS = 300;
const MOST_MS = 10_000;
/** Whoever did not say all waits for us as we for them. */
const BROKEN_MS = 400;

/** What the daemon may say of itself: that it lacks room or cannot do that, never that it met a fault. */
const ALLOWED_5XX: ReadonlySet<number> = new Set([501, 503, 505, 507]);
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Sends requests of these seeds, some at a time. @param secrets texts that no answer may hold */
export async function attemptRequests(
  port: number,
  target: Target,
  {
    seed,
    count,
    secrets,
    lanes = 8,
  }: {
    readonly seed: number;
    readonly count: number;
    readonly secrets: readonly string[];
    readonly lanes?: number;
  },
): Promise<RequestOutcomes> {
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  let answered = 0;
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) {
      const request = hostileRequest(seed * 1_000_003 + index, target);
      const answer = await send(port, request);
      if (answer !== undefined) {
        answered += 1;
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
      const found = judge(request, answer, secrets);
      const first = request.bytes.subarray(0, 160).toString('latin1').replaceAll('\r\n', ' | ');
      faults.push(...found.map((what) => `seed ${seed}, request ${index}: ${what}: ${first}`));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { attempts: count, answered, statuses, faults };
}

function judge(
  request: HostileRequest,
  answer: Answer | undefined,
  secrets: readonly string[],
): readonly string[] {
  if (answer === undefined) return request.isWhole ? ['no answer'] : [];
  const { status, headers, body } = answer;
  const found: string[] = [];
  if (status >= 500 && !ALLOWED_5XX.has(status)) found.push(`status ${status} ${body.slice(0, 200)}`);
  if (status < 400 && !READING.has(request.method) && !request.isAuthorized && request.isWhole)
    found.push(`status ${status} without a credential`);
  if (status >= 400 && request.method !== 'HEAD') {
    const untyped = untypedBy(headers, body, status);
    if (untyped !== undefined) found.push(`status ${status}, ${untyped}: ${body.slice(0, 100)}`);
  }
  // What the request itself says may be said back.
  const unsaid = secrets.filter((secret) => !request.bytes.includes(secret));
  if (unsaid.some((secret) => body.includes(secret) || headers.includes(secret))) found.push('a secret');
  if (/^x-injected/im.test(headers)) found.push('a header of the request');
  if (/\n\s+at .+:\d+:\d+/.test(body)) found.push('a stack');
  return found;
}

function untypedBy(headers: string, body: string, status: number): string | undefined {
  if (!/^content-type: application\/problem\+json/im.test(headers)) return 'no problem+json';
  try {
    const problem = JSON.parse(body) as Readonly<Record<string, unknown>>;
    const isWhole = ['type', 'title', 'detail'].every((name) => typeof problem[name] === 'string');
    return isWhole && problem['status'] === status ? undefined : 'not all of a problem';
  } catch {
    return 'no JSON';
  }
}

/** Undefined where the connection ended, or was ended for its silence, without an answer. */
function send(port: number, { bytes, isWhole }: HostileRequest): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    let size = 0;
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(parse(Buffer.concat(chunks).toString('latin1')));
    };
    let timer = setTimeout(end, isWhole ? MOST_MS : BROKEN_MS);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      clearTimeout(timer);
      if (size > MOST_BYTES) end();
      else timer = setTimeout(end, STREAM_MS);
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.on('connect', () => socket.write(bytes));
  });
}

/** The first answer; one that only asks to go on is none. */
function parse(text: string): Answer | undefined {
  const [head = '', ...rest] = text.replace(/^HTTP\/1\.1 100 [\s\S]*?\r\n\r\n/, '').split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (!Number.isInteger(status)) return undefined;
  const raw = rest.join('\r\n\r\n');
  // Behind the answer to a request may stand the one to its body, which is no second request.
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  const isChunked = /^transfer-encoding: chunked/im.test(head);
  return {
    status,
    headers: head.slice(head.indexOf('\r\n') + 2),
    body: isChunked ? unchunked(raw) : raw.slice(0, length === undefined ? undefined : Number(length)),
  };
}

function unchunked(text: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (end < 0 || !(size > 0)) return body;
    body += text.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
  }
}
