import type { ServerOptions } from 'node:https';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { expect, onTestFinished } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/log.ts';
import { problem } from '../../src/core/problem.ts';
import { err, ok } from '../../src/core/result.ts';
import type { Agent } from '../../src/jobs/agent.ts';
import type { ReloadStatus } from '../../src/jobs/reload/reloader.ts';
import type { RunRecords } from '../../src/jobs/run-records.ts';
import type { RunView } from '../../src/jobs/run-view.ts';
import type { IncomingOrder } from '../../src/jobs/take-order.ts';
import type { Access } from '../../src/server/access/add-access.ts';
import { createServer, type ServerContext } from '../../src/server/create-server.ts';
import type { RunQuery } from '../../src/store/runs.ts';
import { type ApiDescription, mistakesIn, type SeenAnswer } from './described-answers.ts';
import { pipelineResultOf } from './pipeline-result.ts';
import { profileOf } from './profile.ts';

/** The run that the agent has. */
export const ID = '01M83MHX4BNBFSWHZ8PWNPP7QM';

const finishedRun: RunView = {
  id: ID,
  kind: 'bench',
  model: 'tiny',
  state: 'succeeded',
  request: { kind: 'bench' },
  priority: 'normal',
  attempt: 1,
  createdMs: 0,
  startedMs: 1000,
  finishedMs: 2000,
  result: { ...pipelineResultOf({ variants: [] }), startNs: 12n, notKnown: Number.POSITIVE_INFINITY },
};

interface Surface {
  readonly order: Agent['order'];
  readonly getRun: Agent['getRun'];
  readonly listRuns: Agent['listRuns'];
  readonly benchArrivals: Agent['benchArrivals'];
  readonly changedItems: RunRecords['changedItems'];
  readonly sensitivity: RunRecords['sensitivity'];
  readonly cancelRun: Agent['cancelRun'];
  readonly removeRun: Agent['removeRun'];
  readonly followRun: Agent['followRun'];
  readonly readTimeline: RunRecords['readTimeline'];
  readonly artifactFiles: RunRecords['artifactFiles'];
  readonly holdArtifact: RunRecords['holdArtifact'];
  readonly searchOf: RunRecords['searchOf'];
  readonly traceFile: RunRecords['traceFile'];
  readonly beginReadingTrace: RunRecords['beginReadingTrace'];
  readonly listModels: Agent['listModels'];
  readonly modelHistory: Agent['modelHistory'];
  readonly watch: Pick<Agent['watch'], 'view' | 'acknowledge' | 'rebaseline'>;
  readonly onSnapshot: Agent['onSnapshot'];
  readonly isReady: Agent['isReady'];
  readonly isStopping: Agent['isStopping'];
  readonly renderMetrics: Agent['renderMetrics'];
  readonly outlook: Pick<Agent['outlook'], 'etaOf' | 'planOf'>;
  readonly prober: Pick<Agent['prober'], 'probe'>;
  readonly host: Pick<Agent['host'], 'read'>;
}

/** What changes something at the server needs this. */
export const TOKEN = 'a-token-of-more-than-twenty-letters';
export const OPEN: Access = { token: TOKEN, users: new Map(), guardsReading: false };

const SINCE_START: ReloadStatus = {
  successful: true,
  trigger: 'start',
  attemptedMs: 1000,
  succeededMs: 1000,
  problems: [],
  changes: { models: { added: [], removed: [], changed: [] }, settings: [], restartNeeded: [] },
};
export const NEVER_RELOADED = { status: SINCE_START, reload: async () => SINCE_START };

/** A server over an agent that has one finished run and takes every order. */
export function serve(
  {
    changedItems,
    sensitivity,
    readTimeline,
    artifactFiles,
    holdArtifact,
    searchOf,
    traceFile,
    beginReadingTrace,
    ...more
  }: Partial<Surface> = {},
  {
    logger = silentLogger,
    access = OPEN,
    https = null,
    context = {},
  }: {
    readonly logger?: Logger;
    /** A function where it changes. */
    readonly access?: Access | (() => Access);
    readonly https?: ServerOptions | null;
    readonly context?: Partial<ServerContext>;
  } = {},
) {
  const orders: IncomingOrder[] = [];
  const queries: RunQuery[] = [];
  const agent = {
    profiles: [profileOf('tiny')],
    order: (incoming: IncomingOrder) => {
      orders.push(incoming);
      const { model, order, priority = 'normal' } = incoming;
      const { startedMs: _started, finishedMs: _finished, result: _result, ...waiting } = finishedRun;
      return ok({
        ...waiting,
        ...{ model, kind: order.kind, request: order, priority, state: 'queued', queuePosition: 3 },
      } as const);
    },
    getRun: (id: string) => (id === ID ? finishedRun : undefined),
    listRuns: (query: RunQuery) => {
      queries.push(query);
      return [finishedRun];
    },
    benchArrivals: () => ['{"count":1}\n', '{"t_us":0}\n'],
    removeRun: async () => ok(undefined),
    cancelRun: (id: string) =>
      id === ID
        ? err(problem('run-ended', 'the run is over'))
        : err(problem('unknown-run', `there is no run '${id}'`)),
    outlook: {
      etaOf: () => undefined,
      planOf: () => err(problem('unknown-model', 'no model is registered')),
    },
    prober: { probe: async () => err(problem('unknown-model', 'no model is registered')) },
    host: {
      read: async () => ({
        host: pipelineResultOf().host,
        sampler: 'up',
        startedAt: '2026-01-01T00:00:00.000Z',
      }),
    },
    followRun: () => undefined,
    listModels: () => [],
    modelHistory: () => ({ points: [] }),
    watch: {
      view: () => ({ series: [], events: [] }),
      acknowledge: () => err(problem('nothing-to-acknowledge', 'nothing has regressed')),
      rebaseline: () => err(problem('nothing-to-pin', 'there is no run')),
    },
    records: {
      changedItems: changedItems ?? (() => undefined),
      sensitivity: sensitivity ?? (() => undefined),
      readTimeline: readTimeline ?? (async () => undefined),
      artifactFiles: artifactFiles ?? (() => undefined),
      holdArtifact: holdArtifact ?? (() => () => {}),
      searchOf: searchOf ?? (() => undefined),
      traceFile: traceFile ?? (() => undefined),
      beginReadingTrace: beginReadingTrace ?? (() => () => {}),
    },
    onSnapshot: () => () => {},
    isReady: () => true,
    isStopping: () => false,
    renderMetrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'ptq_jobs 1\n' }),
    ...more,
  };
  // The class has private state, which the server cannot see.
  const current = typeof access === 'function' ? access : () => access;
  const info = { version: '1.2.3', reloader: NEVER_RELOADED, ...context };
  const app = createServer(agent as unknown as Agent, info, logger, current, https);
  const seen: SeenAnswer[] = [];
  app.addHook('onSend', async ({ method, url }, reply, payload) => {
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload) && payload !== undefined) return;
    seen.push({
      method,
      path: url.split('?', 1)[0] ?? '',
      status: reply.statusCode,
      contentType: reply.getHeader('content-type')?.toString(),
      body: payload?.toString() ?? '',
    });
  });
  onTestFinished(async () => {
    const description = await describedApi(typeof access === 'function' ? access() : access);
    expect(seen.flatMap((answer) => mistakesIn(description, answer))).toEqual([]);
    await app.close();
  });
  return { app, orders, queries };
}

const descriptions = new Map<string, Promise<ApiDescription>>();

/** Every server of ours has the same operations; who may ask decides which of them need a credential. */
function describedApi({ guardsReading, users }: Access): Promise<ApiDescription> {
  const key = `${guardsReading} ${users.size > 0}`;
  const known = descriptions.get(key) ?? describeApi({ ...OPEN, guardsReading, users });
  descriptions.set(key, known);
  return known;
}

async function describeApi(access: Access): Promise<ApiDescription> {
  const app = createServer(
    {} as Agent,
    { version: '0.0.0', reloader: NEVER_RELOADED },
    silentLogger,
    () => access,
  );
  const answer = await ask(app, '/openapi.json');
  await app.close();
  return answer.json<ApiDescription>();
}

/** Asks with the token, unless the request has an `authorization` of its own. */
export async function ask(
  app: FastifyInstance,
  request: InjectOptions | string,
): Promise<LightMyRequestResponse> {
  const options = typeof request === 'string' ? { url: request } : request;
  return app.inject({ ...options, headers: { authorization: `Bearer ${TOKEN}`, ...options.headers } });
}
