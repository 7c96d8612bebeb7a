import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

// The load of `metrics-storm.ts`, in a process of its own: what it takes of the CPU is not the daemon's.

/** Told to this process. */
export type StormOrder =
  | { readonly kind: 'begin'; readonly url: string; readonly perSecond: number; readonly connections: number }
  | { readonly kind: 'follow'; readonly path: string; readonly followers: number }
  | { readonly kind: 'end' };

/** What came of the load, told at its end. Latencies count from when a scrape was due, whatever kept it waiting. */
export interface StormResult {
  readonly seconds: number;
  readonly scrapes: number;
  readonly errors: readonly string[];
  readonly latenciesMs: readonly number[];
  readonly bytes: number;
  readonly events: number;
  readonly ends: number;
  readonly cpuSeconds: number;
}

const ACCEPT = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
/** Unpacked and looked at. */
const ONE_IN = 100;

/** One connection on which scrapes come one after the other, as a Prometheus server makes them. */
class Scraper {
  readonly #socket: Socket;
  readonly #request: string;
  readonly #storm: Storm;
  #dueMs: number | undefined;
  #chunks: Buffer[] = [];
  #missingBytes = Number.POSITIVE_INFINITY;

  constructor(url: URL, storm: Storm) {
    this.#storm = storm;
    this.#request = `GET /metrics HTTP/1.1\r\nHost: ${url.host}\r\nAccept: ${ACCEPT}\r\nAccept-Encoding: gzip\r\n\r\n`;
    this.#socket = connect(Number(url.port), url.hostname);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => storm.fail(error.message));
    this.#socket.on('close', () => {
      if (!storm.isOver) storm.fail('a connection was closed');
    });
  }

  get isFree(): boolean {
    return this.#dueMs === undefined;
  }

  scrape(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#missingBytes === Number.POSITIVE_INFINITY) {
      const all = Buffer.concat(this.#chunks);
      const end = all.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(all.subarray(0, end).toString('latin1'))?.[1];
      this.#missingBytes = end + 4 + Number(length) - all.length;
    } else this.#missingBytes -= chunk.length;
    if (this.#missingBytes > 0) return;
    const answer = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#missingBytes = Number.POSITIVE_INFINITY;
    const dueMs = this.#dueMs as number;
    this.#dueMs = undefined;
    this.#storm.answered(answer, dueMs);
  }
}

class Storm {
  isOver = false;
  readonly #startMs = performance.now();
  readonly #cpuBefore = process.cpuUsage();
  readonly #everyMs: number;
  readonly #scrapers: readonly Scraper[];
  readonly #url: URL;
  readonly #errors: string[] = [];
  readonly #latenciesMs: number[] = [];
  readonly #waiting: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #due = 0;
  #bytes = 0;
  #events = 0;
  #ends = 0;

  constructor({ url, perSecond, connections }: Extract<StormOrder, { kind: 'begin' }>) {
    this.#url = new URL(url);
    this.#everyMs = 1e3 / perSecond;
    this.#scrapers = Array.from({ length: connections }, () => new Scraper(this.#url, this));
    this.#timer = setInterval(() => this.#tick(), 1);
  }

  answered(answer: Buffer, dueMs: number): void {
    this.#latenciesMs.push(performance.now() - dueMs);
    this.#bytes += answer.length;
    const count = this.#latenciesMs.length;
    if (!answer.subarray(0, 20).toString('latin1').startsWith('HTTP/1.1 200 '))
      this.fail(answer.subarray(0, 80).toString('latin1'));
    else if (count % ONE_IN === 1 && !gunzipSync(bodyOf(answer)).toString().endsWith('# EOF\n'))
      this.fail('an exposition is not whole');
    this.#send();
  }

  fail(message: string): void {
    this.#errors.push(message);
  }

  follow(path: string, followers: number): void {
    for (let made = 0; made < followers; made += 1) {
      get(new URL(path, this.#url), (answer) => this.#read(answer)).on('error', (error) =>
        this.fail(`a follower: ${error.message}`),
      );
    }
  }

  end(): StormResult {
    this.isOver = true;
    clearInterval(this.#timer);
    for (const scraper of this.#scrapers) scraper.close();
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    return {
      seconds: (performance.now() - this.#startMs) / 1e3,
      scrapes: this.#latenciesMs.length,
      errors: this.#errors,
      latenciesMs: this.#latenciesMs,
      bytes: this.#bytes,
      events: this.#events,
      ends: this.#ends,
      cpuSeconds: (user + system) / 1e6,
    };
  }

  #read(answer: IncomingMessage): void {
    if (answer.statusCode !== 200) this.fail(`a follower: status ${answer.statusCode}`);
    answer.setEncoding('utf8').on('data', (text: string) => {
      this.#events += text.split('\nevent: ').length - 1;
      if (text.includes('\nevent: end')) this.#ends += 1;
    });
    answer.on('error', (error) => this.fail(`a follower: ${error.message}`));
  }

  #tick(): void {
    const nowMs = performance.now();
    for (; this.#startMs + this.#due * this.#everyMs <= nowMs; this.#due += 1)
      this.#waiting.push(this.#startMs + this.#due * this.#everyMs);
    this.#send();
  }

  #send(): void {
    for (const scraper of this.#scrapers) {
      if (!scraper.isFree) continue;
      const dueMs = this.#waiting.shift();
      if (dueMs === undefined) return;
      scraper.scrape(dueMs);
    }
  }
}

function bodyOf(answer: Buffer): Buffer {
  return answer.subarray(answer.indexOf('\r\n\r\n') + 4);
}

let storm: Storm | undefined;
process.on('message', (order: StormOrder) => {
  if (order.kind === 'begin') storm = new Storm(order);
  else if (order.kind === 'follow') storm?.follow(order.path, order.followers);
  else {
    process.send?.(storm?.end());
    storm = undefined;
  }
});
process.on('disconnect', () => process.exit(0));
