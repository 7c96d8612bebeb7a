import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type TObject } from 'typebox';
import { json } from '../api/operation.ts';
import {
  type BenchRequest,
  BenchRequestSchema,
  type EvaluateRequest,
  EvaluateRequestSchema,
  type ExplainRequest,
  ExplainRequestSchema,
  type QuantizeRequest,
  QuantizeRequestSchema,
  type RunRequest,
  RunRequestSchema,
} from '../api/order-schema.ts';
import { DryRunQuerySchema, type DryRunQueryString, PlanSchema } from '../api/plan-schema.ts';
import type { ProblemType } from '../api/problem-types.ts';
import { OrderHeadersSchema } from '../api/run-request-schema.ts';
import { RunSchema } from '../api/run-schema.ts';
import { isEnded } from '../core/run-terms.ts';
import type { Agent } from '../jobs/agent.ts';
import type { IncomingOrder } from '../jobs/take-order.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';
import { runPath, runResource } from './run-resource.ts';
import type { RunWaits } from './run-waits.ts';

const RETRY_AFTER_SECONDS = 5;

const SENT_AGAIN =
  'An order with an Idempotency-Key that is sent again within 24 hours is not carried out again: the answer is the run that it led to.';
const JOINED =
  'One that is equal to an order that waits, and has no deadline, is that order: the answer is its run.';

/** A request to order a run, and how the order of its body is read. */
interface OrderRoute {
  /** That of the command that does the same. */
  readonly path: '/bench' | '/quantize' | '/evaluate' | '/explain' | '/run';
  readonly id: string;
  readonly summary: string;
  readonly body: TObject;
  readonly toOrder: (body: object) => Omit<IncomingOrder, 'key'>;
  readonly isJoined: boolean;
  readonly problems: readonly ProblemType[];
}

const ORDERS: readonly OrderRoute[] = [
  {
    path: '/bench',
    id: 'orderBench',
    summary: 'Orders a benchmark of a registered model',
    body: BenchRequestSchema,
    toOrder: (body) => {
      const { model, priority, deadlineSeconds, ...order } = body as BenchRequest;
      return { model, ...whenOf({ priority, deadlineSeconds }), order: { kind: 'bench', ...order } };
    },
    isJoined: false,
    problems: ['unknown-variant', 'unknown-suite'],
  },
  {
    path: '/quantize',
    id: 'orderQuantize',
    summary: 'Orders that variants of a registered model are made',
    body: QuantizeRequestSchema,
    toOrder: (body) => {
      const { model, priority, deadlineSeconds, ...order } = body as QuantizeRequest;
      return { model, ...whenOf({ priority, deadlineSeconds }), order: { kind: 'quantize', ...order } };
    },
    isJoined: true,
    problems: ['unknown-variant'],
  },
  {
    path: '/evaluate',
    id: 'orderEvaluate',
    summary: 'Orders that variants of a registered model are held against fp32',
    body: EvaluateRequestSchema,
    toOrder: (body) => {
      const { model, priority, deadlineSeconds, ...order } = body as EvaluateRequest;
      return { model, ...whenOf({ priority, deadlineSeconds }), order: { kind: 'evaluate', ...order } };
    },
    isJoined: true,
    problems: ['unknown-variant'],
  },
  {
    path: '/explain',
    id: 'orderExplain',
    summary: 'Orders that it is told what each quantized node of variants costs, and why',
    body: ExplainRequestSchema,
    toOrder: (body) => {
      const { model, priority, deadlineSeconds, ...order } = body as ExplainRequest;
      return { model, ...whenOf({ priority, deadlineSeconds }), order: { kind: 'explain', ...order } };
    },
    isJoined: true,
    problems: ['unknown-variant', 'explain-not-possible'],
  },
  {
    path: '/run',
    id: 'orderRun',
    summary: 'Orders a full run of a registered model: quantize, evaluate and benchmark',
    body: RunRequestSchema,
    toOrder: (body) => {
      const { model, priority, deadlineSeconds, ...order } = body as RunRequest;
      return { model, ...whenOf({ priority, deadlineSeconds }), order: { kind: 'pipeline', ...order } };
    },
    isJoined: true,
    problems: [],
  },
];

interface OrderTakers {
  readonly agent: Pick<Agent, 'order' | 'getRun' | 'outlook'>;
  readonly waits: RunWaits;
}

/** What orders a run. All runs, whatever ordered them, are found under `/bench`. */
export function addOrderRoutes(app: FastifyInstance, takers: OrderTakers): void {
  for (const route of ORDERS) {
    app.post(route.path, describeOrder(route), (request, reply) =>
      answerOrder(route.toOrder(request.body as object), takers, request, reply),
    );
  }
}

async function answerOrder(
  order: Omit<IncomingOrder, 'key'>,
  { agent, waits }: OrderTakers,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { dryRun } = request.query as DryRunQueryString;
  if (dryRun === 'true') return sendPlan(order, agent, reply);
  const key = request.headers['idempotency-key'] as string | undefined;
  const queued = agent.order(key === undefined ? order : { ...order, key });
  if (!queued.ok) {
    if (['queue-full', 'daemon-stopping'].includes(queued.error.kind))
      reply.header('retry-after', RETRY_AFTER_SECONDS);
    return sendProblem(reply, [queued.error]);
  }
  const { id } = queued.value;
  reply.header('location', runPath(id));
  const hasWaited = await waits.preferred(id, request, reply);
  const run = (hasWaited ? agent.getRun(id) : undefined) ?? queued.value;
  if (hasWaited && isEnded(run)) return reply.code(200).send(runResource(run));
  return reply
    .code(202)
    .header('retry-after', RETRY_AFTER_SECONDS)
    .send(runResource(run, agent.outlook.etaOf(run)));
}

/** What would be done, of benchmarks alone: how long others take is known only when they were done. */
function sendPlan({ model, order }: IncomingOrder, { outlook }: Pick<Agent, 'outlook'>, reply: FastifyReply) {
  if (order.kind !== 'bench') throw new Error('only benchmarks can be ordered with dryRun');
  const plan = outlook.planOf({ model, order });
  return plan.ok ? reply.send(plan.value) : sendProblem(reply, [plan.error]);
}

function describeOrder({ id, summary, body, isJoined, problems }: OrderRoute) {
  return describe({
    id,
    tag: 'runs',
    summary,
    description: isJoined ? `${SENT_AGAIN} ${JOINED}` : SENT_AGAIN,
    body,
    headers: OrderHeadersSchema,
    ...(id === 'orderBench' ? { query: DryRunQuerySchema } : {}),
    answers: {
      200:
        id === 'orderBench'
          ? json(
              Type.Union([RunSchema, PlanSchema]),
              'The run, which is over within the wait that was preferred; or what would be done, with dryRun',
            )
          : json(RunSchema, 'The run, which is over within the wait that was preferred'),
      202: json(RunSchema, 'The run, which waits for its turn', {
        location: 'of the run',
        'retry-after': 'seconds after which to look at it',
      }),
    },
    problems: [
      'key-used-otherwise',
      'unknown-model',
      'queue-full',
      'daemon-stopping',
      'store-not-written',
      'disk-quota-exceeded',
      'disk-space-low',
      ...problems,
    ],
  });
}

/** Without what is not given. */
function whenOf({
  priority,
  deadlineSeconds,
}: {
  readonly priority: RunRequest['priority'] | undefined;
  readonly deadlineSeconds: number | undefined;
}): Pick<IncomingOrder, 'priority' | 'deadlineSeconds'> {
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
  };
}
