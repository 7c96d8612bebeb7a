import type { FastifyInstance } from 'fastify';
import type { TObject } from 'typebox';
import { json } from '../api/operation.ts';
import {
  type BenchRequest,
  BenchRequestSchema,
  type EvaluateRequest,
  EvaluateRequestSchema,
  type QuantizeRequest,
  QuantizeRequestSchema,
  type RunRequest,
  RunRequestSchema,
} from '../api/order-schema.ts';
import type { ProblemType } from '../api/problem-types.ts';
import { OrderHeadersSchema } from '../api/run-request-schema.ts';
import { RunSchema } from '../api/run-schema.ts';
import type { Agent } from '../jobs/agent.ts';
import type { IncomingOrder } from '../jobs/take-order.ts';
import { describe } from './openapi/describe.ts';
import { sendProblem } from './problem-response.ts';
import { runPath, runResource } from './run-resource.ts';

const RETRY_AFTER_SECONDS = 5;

const SENT_AGAIN =
  'An order with an Idempotency-Key that is sent again within 24 hours is not carried out again: the answer is the run that it led to.';
const JOINED =
  'One that is equal to an order that waits, and has no deadline, is that order: the answer is its run.';

/** A request to order a run, and how the order of its body is read. */
interface OrderRoute {
  /** That of the command that does the same. */
  readonly path: '/bench' | '/quantize' | '/evaluate' | '/run';
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

/** What orders a run. All runs, whatever ordered them, are found under `/bench`. */
export function addOrderRoutes(app: FastifyInstance, agent: Pick<Agent, 'order'>): void {
  for (const route of ORDERS) {
    app.post(route.path, describeOrder(route), async (request, reply) => {
      const key = request.headers['idempotency-key'] as string | undefined;
      const order = route.toOrder(request.body as object);
      const queued = agent.order(key === undefined ? order : { ...order, key });
      if (!queued.ok) {
        if (['queue-full', 'daemon-stopping'].includes(queued.error.kind))
          reply.header('retry-after', RETRY_AFTER_SECONDS);
        return sendProblem(reply, [queued.error]);
      }
      return reply
        .code(202)
        .header('location', runPath(queued.value.id))
        .header('retry-after', RETRY_AFTER_SECONDS)
        .send(runResource(queued.value));
    });
  }
}

function describeOrder({ id, summary, body, isJoined, problems }: OrderRoute) {
  return describe({
    id,
    tag: 'runs',
    summary,
    description: isJoined ? `${SENT_AGAIN} ${JOINED}` : SENT_AGAIN,
    body,
    headers: OrderHeadersSchema,
    answers: {
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
