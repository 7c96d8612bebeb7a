import type Type from 'typebox';
import type { OverviewSchema, ReadinessSchema } from '../api/daemon-schema.ts';
import type { HostSchema } from '../api/host-schema.ts';
import type { ModelListSchema, ModelSchema } from '../api/model-schema.ts';
import type {
  BenchRequest,
  EvaluateRequest,
  ExplainRequest,
  QuantizeRequest,
  RunRequest,
} from '../api/order-schema.ts';
import type { ProblemDetailsSchema } from '../api/problem-schema.ts';
import type { RunQueryString } from '../api/run-request-schema.ts';
import type { RunListSchema, RunSchema, RunSummarySchema } from '../api/run-schema.ts';
import type { SensitivitySchema } from '../api/sensitivity-schema.ts';
import type { AcknowledgeRequest, BaselineRequest, WatchSchema } from '../api/watch-schema.ts';
import { readEvents, type ServerEvent } from './read-events.ts';

export type {
  AcknowledgeRequest,
  BaselineRequest,
  BenchRequest,
  EvaluateRequest,
  ExplainRequest,
  QuantizeRequest,
  RunRequest,
};
export type Model = Type.Static<typeof ModelSchema>;
type ModelList = Type.Static<typeof ModelListSchema>;
export type Sensitivity = Type.Static<typeof SensitivitySchema>;
export type Watch = Type.Static<typeof WatchSchema>;
export type Run = Type.Static<typeof RunSchema>;
export type RunSummary = Type.Static<typeof RunSummarySchema>;
export type RunProgress = NonNullable<Run['progress']>;
export type RunQuery = RunQueryString;
export type Overview = Type.Static<typeof OverviewSchema>;
export type Readiness = Type.Static<typeof ReadinessSchema>;
export type Host = Type.Static<typeof HostSchema>;

/** Why a request was not answered as asked. */
export interface ClientProblem {
  /** The name of the daemon's problem type, such as `unknown-model`; `daemon-unreachable` where there is no answer, `not-understood` where it is none. */
  readonly kind: string;
  readonly message: string;
  readonly hint?: string;
  /** Of the answer, where there is one. */
  readonly status?: number;
  /** What the daemon said, in full. */
  readonly details?: Type.Static<typeof ProblemDetailsSchema>;
}

export type ClientResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ClientProblem };

/** What happened to a run, as `follow` tells it. */
export type RunEvent =
  | { readonly kind: 'state' | 'end'; readonly run: RunSummary }
  | { readonly kind: 'progress'; readonly progress: RunProgress };

export interface ClientOptions {
  /** Where the daemon listens, such as `http://127.0.0.1:9477`. */
  readonly url: string | URL;
  /** The content of its token file. */
  readonly token?: string;
  /** Instead of the global one, as for a certificate authority of one's own. */
  readonly fetch?: typeof fetch;
  /** How long an answer may take; 30 s unless given. Following is not limited. */
  readonly timeoutMs?: number;
}

export interface OrderOptions {
  /** Under which an order that is sent again within 24 hours is not carried out again. */
  readonly idempotencyKey?: string;
}

/** The HTTP API of a daemon. Nothing throws for what a daemon or a network can do: every answer is a result. */
export interface Client {
  /** What the daemon is and which models it has. */
  getOverview(): Promise<ClientResult<Overview>>;
  /** Where it is between its start and its end; one that is not ready has an answer, too. */
  getReadiness(): Promise<ClientResult<Readiness>>;
  /** What the host is and has. */
  getHost(): Promise<ClientResult<Host>>;
  /** All of them, page after page. */
  listModels(): Promise<ClientResult<readonly Model[]>>;
  getModel(name: string): Promise<ClientResult<Model>>;
  /** What each quantized node of a variant costs, and why. */
  getSensitivity(name: string, variant: string): Promise<ClientResult<Sensitivity>>;
  /** What the runs of a model say from one to the next. */
  getWatch(name: string): Promise<ClientResult<Watch>>;
  /** Takes regressions of a model for known; see the operation `acknowledgeRegression`. */
  acknowledge(name: string, what: AcknowledgeRequest): Promise<ClientResult<Watch>>;
  /** Expects of a model from now on what was found last; see the operation `pinBaseline`. */
  pinBaseline(name: string, what: BaselineRequest): Promise<ClientResult<Watch>>;
  bench(order: BenchRequest, options?: OrderOptions): Promise<ClientResult<Run>>;
  quantize(order: QuantizeRequest, options?: OrderOptions): Promise<ClientResult<Run>>;
  evaluate(order: EvaluateRequest, options?: OrderOptions): Promise<ClientResult<Run>>;
  /** Tells what each quantized node of variants costs; `getSensitivity` has it once the run is over. */
  explain(order: ExplainRequest, options?: OrderOptions): Promise<ClientResult<Run>>;
  /** Quantizes, evaluates and benchmarks all that the profile says. */
  run(order: RunRequest, options?: OrderOptions): Promise<ClientResult<Run>>;
  /** A page of them, the newest first. */
  listRuns(query?: RunQuery): Promise<ClientResult<readonly RunSummary[]>>;
  getRun(id: string): Promise<ClientResult<Run>>;
  cancelRun(id: string): Promise<ClientResult<RunSummary>>;
  /** Removes a run that is over, with all that it kept. */
  removeRun(id: string): Promise<ClientResult<void>>;
  /**
   * Waits for the end of a run, and gives it with its result. Tells `onEvent` what happens meanwhile. A connection that breaks is made
   * anew and goes on where it was; after `patienceMs` (60 s unless given) in which nothing came and a connection ended, that is `daemon-unreachable`. The signal
   * ends the waiting (`aborted`), not the run.
   */
  follow(id: string, options?: FollowOptions): Promise<ClientResult<Run>>;
}

export interface FollowOptions {
  readonly onEvent?: (event: RunEvent) => void;
  readonly signal?: AbortSignal;
  readonly patienceMs?: number;
}

const TIMEOUT_MS = 30_000;
const PATIENCE_MS = 60_000;
const RECONNECT_MS = 500;
/** The most that the API gives at a time. */
const MODELS_OF_A_PAGE = 200;

export function createClient(options: ClientOptions): Client {
  const { url, token, timeoutMs = TIMEOUT_MS } = options;
  const send = options.fetch ?? fetch;
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };

  const ask = async <T>(
    path: string,
    init: RequestInit = {},
    alsoAnswers?: number,
  ): Promise<ClientResult<T>> => {
    try {
      const answer = await send(new URL(path, url), {
        signal: AbortSignal.timeout(timeoutMs),
        ...init,
        headers: {
          accept: 'application/json',
          ...authorization,
          ...(init.headers as Record<string, string>),
        },
      });
      if (!answer.ok && answer.status !== alsoAnswers) return { ok: false, error: await problemOf(answer) };
      // What is removed has no content.
      const value = answer.status === 204 ? undefined : await answer.json();
      return { ok: true, value: value as T };
    } catch (error) {
      return { ok: false, error: unreachable(url, error, timeoutMs) };
    }
  };

  const order = (path: string, body: object, { idempotencyKey }: OrderOptions = {}) =>
    ask<Run>(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
    });

  const changeWatch = (name: string, change: 'acknowledge' | 'baseline', body: object) =>
    ask<Watch>(`/models/${encodeURIComponent(name)}/${change}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  const getRun = (id: string) => ask<Run>(`/bench/${encodeURIComponent(id)}`);

  /** Reads events until the connection ends. True at the end of the run, a problem where asking again would not help. */
  const readOnce = async (id: string, place: FollowPlace, { onEvent, signal }: FollowOptions) => {
    const answer = await send(new URL(`/bench/${encodeURIComponent(id)}/events`, url), {
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...authorization,
        ...(place.lastId === undefined ? {} : { 'last-event-id': place.lastId }),
      },
    });
    // A daemon that has too much to do, or is about to end, is asked again.
    if (!answer.ok) return answer.status < 429 ? await problemOf(answer) : false;
    if (answer.body === null) return false;
    for await (const told of readEvents(answer.body)) {
      place.answeredMs = Date.now();
      place.lastId = told.id ?? place.lastId;
      const event = runEventOf(told);
      if (event !== undefined) onEvent?.(event);
      if (event?.kind === 'end') return true;
    }
    return false;
  };

  const follow: Client['follow'] = async (id, options = {}) => {
    const { signal, patienceMs = PATIENCE_MS } = options;
    const place: FollowPlace = { lastId: undefined, answeredMs: Date.now() };
    let failure: unknown = new Error('nothing comes');
    while (!signal?.aborted) {
      const read = await readOnce(id, place, options).catch((error: unknown) => {
        failure = error;
        return false;
      });
      if (read === true) return getRun(id);
      if (read !== false) return { ok: false, error: read };
      if (Date.now() - place.answeredMs > patienceMs) return { ok: false, error: unreachable(url, failure) };
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
    return { ok: false, error: { kind: 'aborted', message: 'the waiting was ended' } };
  };

  return {
    getOverview: () => ask('/'),
    getReadiness: () => ask('/-/ready', {}, 503),
    getHost: () => ask('/host'),
    listModels: async () => {
      const models: Model[] = [];
      for (;;) {
        const after = models.at(-1)?.name;
        const cursor = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
        const answer = await ask<ModelList>(`/models?limit=${MODELS_OF_A_PAGE}${cursor}`);
        if (!answer.ok) return answer;
        models.push(...answer.value.models);
        if (answer.value.next === undefined || answer.value.models.length === 0)
          return { ok: true, value: models };
      }
    },
    getModel: (name) => ask(`/models/${encodeURIComponent(name)}`),
    getSensitivity: (name, variant) =>
      ask(`/models/${encodeURIComponent(name)}/variants/${encodeURIComponent(variant)}/sensitivity`),
    getWatch: (name) => ask(`/models/${encodeURIComponent(name)}/watch`),
    acknowledge: (name, what) => changeWatch(name, 'acknowledge', what),
    pinBaseline: (name, what) => changeWatch(name, 'baseline', what),
    bench: (body, more) => order('/bench', body, more),
    quantize: (body, more) => order('/quantize', body, more),
    evaluate: (body, more) => order('/evaluate', body, more),
    explain: (body, more) => order('/explain', body, more),
    run: (body, more) => order('/run', body, more),
    listRuns: async (query = {}) => {
      const given = Object.entries(query).filter(([, value]) => value !== undefined) as [string, string][];
      const answer = await ask<Type.Static<typeof RunListSchema>>(`/bench?${new URLSearchParams(given)}`);
      return answer.ok ? { ok: true, value: answer.value.runs } : answer;
    },
    getRun,
    cancelRun: (id) => ask(`/bench/${encodeURIComponent(id)}/cancel`, { method: 'POST' }),
    removeRun: (id) => ask(`/bench/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    follow,
  };
}

/** Where a follower is. */
interface FollowPlace {
  lastId: string | undefined;
  answeredMs: number;
}

function runEventOf({ event, data }: ServerEvent): RunEvent | undefined {
  if (event === 'progress') return { kind: event, progress: JSON.parse(data) as RunProgress };
  if (event === 'state' || event === 'end') return { kind: event, run: JSON.parse(data) as RunSummary };
  return undefined;
}

async function problemOf(answer: Response): Promise<ClientProblem> {
  const { status } = answer;
  const text = await answer.text().catch(() => '');
  try {
    const details = JSON.parse(text) as Type.Static<typeof ProblemDetailsSchema>;
    const kind = /^\/problems\/([a-z0-9-]+)$/.exec(details.type)?.[1];
    if (kind !== undefined) {
      const { detail: message, hint } = details;
      return { kind, message, ...(hint === undefined ? {} : { hint }), status, details };
    }
  } catch {
    // Not what a daemon answers; a proxy, say.
  }
  return {
    kind: 'not-understood',
    message: `the answer ${status} is none of a daemon`,
    hint: 'is this the address of a ptq-agent, of this version?',
    status,
  };
}

function unreachable(url: string | URL, error: unknown, timeoutMs?: number): ClientProblem {
  // `fetch` says little itself, and its cause much.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const said = cause instanceof Error ? cause.message || cause.name : String(cause);
  const isTimeout = error instanceof Error && error.name === 'TimeoutError' && timeoutMs !== undefined;
  const reason = isTimeout ? `nothing came within ${timeoutMs / 1000} s` : said;
  return {
    kind: 'daemon-unreachable',
    message: `no daemon answers at ${new URL(url).origin}: ${reason}`,
    hint: 'start one with ptq-agent serve',
  };
}
