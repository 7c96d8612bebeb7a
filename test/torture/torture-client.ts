import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/benchmark/random.ts';
import { isEnded, type RunState } from '../../src/core/run-terms.ts';
import { writeProfile } from '../support/program.ts';
import type { DaemonLife } from './daemon-life.ts';
import { digestOf, type Ledger } from './ledger.ts';

interface ShownRun {
  readonly id: string;
  readonly state: RunState;
  readonly result?: unknown;
}

interface Order {
  readonly body: { readonly model: string; readonly durationSeconds: number };
  readonly key?: string;
}

const MODELS = ['m0', 'm1', 'm2', 'm3'] as const;
const MOST_WAITING = 3;
const MOST_REMEMBERED = 200;
const BENCH_SECONDS = 0.1;

/** Does at random what users do, and notes what it is told. */
export class TortureClient {
  readonly #profiles: string;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #orders: Order[] = [];
  /** How often each thing was done and answered. */
  readonly done: Record<string, number> = {};
  /** Answers that nobody should get. */
  readonly wrong: string[] = [];
  #made = 0;

  constructor(profiles: string, random: Random, ledger: Ledger) {
    this.#profiles = profiles;
    this.#random = random;
    this.#ledger = ledger;
    mkdirSync(profiles, { recursive: true });
    this.#register('m0');
  }

  /** Registers a model, changes one so that it has to be quantized anew, or removes one; often nothing. */
  changeProfiles(): void {
    const model = this.#pick(MODELS);
    const chance = this.#random();
    if (chance < 0.45) this.#register(model);
    else if (chance < 0.6 && this.#registered().length > 1) {
      rmSync(join(this.#profiles, model), { recursive: true, force: true });
      this.#count('removed');
    }
  }

  async act(life: DaemonLife): Promise<void> {
    const chance = this.#random();
    // The daemon sees it by itself.
    if (chance < 0.02) this.changeProfiles();
    else if (chance < 0.3) await this.#order(life);
    else if (chance < 0.5) await this.#orderAgain(life);
    else if (chance < 0.54) await this.#cancel(life);
    else if (chance < 0.9) await this.#look(life);
    else await this.#delete(life);
  }

  #register(model: string): void {
    // Another number of samples is another recipe, whose artifact has to be made.
    writeProfile(this.#profiles, model, {
      calibrationSamples: 1 + Math.floor(this.#random() * 250),
      duration: '100ms',
    });
    this.#count('registered');
  }

  #registered(): readonly string[] {
    return readdirSync(this.#profiles);
  }

  async #order(life: DaemonLife): Promise<void> {
    if ((await this.#list(life, '?state=queued')).length >= MOST_WAITING) return;
    this.#made += 1;
    // Found again in the request of the run that comes of it.
    const durationSeconds = BENCH_SECONDS + this.#made / 1e6;
    const body = { model: this.#pick(MODELS), durationSeconds };
    const order = { body, ...(this.#random() < 0.8 ? { key: `order-${this.#made}` } : {}) };
    await this.#send(life, order, 'ordered');
    if (order.key !== undefined) this.#orders.push(order);
    if (this.#orders.length > MOST_REMEMBERED) this.#orders.shift();
  }

  async #orderAgain(life: DaemonLife): Promise<void> {
    const order = this.#pick(this.#orders);
    if (order !== undefined) await this.#send(life, order, 'ordered again');
  }

  async #send(life: DaemonLife, { body, key }: Order, what: string): Promise<void> {
    const answer = await life.ask('POST', '/bench', { body, ...(key === undefined ? {} : { key }) });
    if (answer === undefined) return;
    this.#count(what);
    const { id } = answer.body as ShownRun;
    if (answer.status === 202 || answer.status === 200)
      this.wrong.push(...this.#ledger.accepted(String(body.durationSeconds), id));
    // The model may be registered no more, or the queue be full.
    else if (![404, 422, 429, 503].includes(answer.status)) this.#unexpected(what, answer);
  }

  async #cancel(life: DaemonLife): Promise<void> {
    const open = (await this.#list(life)).filter((run) => !isEnded(run));
    const run = this.#pick(open);
    if (run === undefined) return;
    const answer = await life.ask('POST', `/bench/${run.id}/cancel`, { body: {} });
    if (answer === undefined) return;
    this.#count('cancelled');
    if (answer.status !== 202 && answer.status !== 409) this.#unexpected('cancel', answer);
  }

  async #look(life: DaemonLife): Promise<void> {
    const run = this.#pick(await this.#list(life));
    if (run === undefined) return;
    const answer = await life.ask('GET', `/bench/${run.id}`);
    if (answer === undefined) return;
    if (answer.status !== 200) return this.#unexpected('look', answer);
    const { id, state, result } = answer.body as ShownRun;
    this.#count('looked at');
    this.wrong.push(
      ...this.#ledger.see({ id, state, ...(result === undefined ? {} : { resultDigest: digestOf(result) }) }),
    );
  }

  async #delete(life: DaemonLife): Promise<void> {
    const run = this.#pick((await this.#list(life)).filter(isEnded));
    if (run === undefined) return;
    this.#ledger.deleting(run.id);
    const answer = await life.ask('DELETE', `/bench/${run.id}`);
    if (answer === undefined) return;
    // A run may be in use.
    if (answer.status === 409) return;
    if (answer.status !== 200 && answer.status !== 204) return this.#unexpected('delete', answer);
    this.#count('deleted');
    this.#ledger.deleted(run.id);
  }

  async #list(life: DaemonLife, query = ''): Promise<readonly ShownRun[]> {
    const answer = await life.ask('GET', `/bench${query}`);
    if (answer === undefined) return [];
    if (answer.status !== 200) this.#unexpected('list', answer);
    const { runs = [] } = answer.body as { readonly runs?: readonly ShownRun[] };
    this.wrong.push(...runs.flatMap(({ id, state }) => this.#ledger.see({ id, state })));
    return runs;
  }

  #unexpected(what: string, { status, body }: { readonly status: number; readonly body: unknown }): void {
    this.wrong.push(`${what}: answered ${status} ${JSON.stringify(body).slice(0, 200)}`);
  }

  #count(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }
}
