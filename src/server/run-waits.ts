import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Agent } from '../jobs/agent.ts';

const LONGEST_WAIT_SECONDS = 30;
/** Each holds a connection. Whoever comes beyond that is answered at once. */
const MOST_WAITING = 64;

/** Has answers wait for the end of runs, for whoever prefers that (RFC 7240, 4.3). */
export interface RunWaits {
  /**
   * Where the request has `Prefer: wait=N`: waits until a run has ended, or the client has gone, for N seconds and at most 30, and
   * says so in `Preference-Applied`. Returns whether it waited.
   */
  preferred(
    id: string,
    request: Pick<FastifyRequest, 'headers'>,
    reply: Pick<FastifyReply, 'raw' | 'header'>,
  ): Promise<boolean>;
}

export function createRunWaits(app: FastifyInstance, agent: Pick<Agent, 'followRun'>): RunWaits {
  const waiting = new Set<() => void>();
  // A server waits for its answers before it closes.
  app.addHook('preClose', async () => {
    for (const end of waiting) end();
  });
  return {
    preferred: async (id, { headers }, reply) => {
      const seconds = preferredWaitSeconds(headers['prefer']);
      if (seconds === undefined || waiting.size >= MOST_WAITING || reply.raw.destroyed) return false;
      reply.header('preference-applied', `wait=${seconds}`);
      let unfollow: (() => void) | undefined;
      await new Promise<void>((resolve) => {
        const end = () => {
          clearTimeout(timer);
          reply.raw.off('close', end);
          waiting.delete(end);
          resolve();
        };
        const timer = setTimeout(end, seconds * 1e3);
        waiting.add(end);
        reply.raw.once('close', end);
        unfollow = agent.followRun(id, undefined, ({ kind }) => {
          if (kind === 'end') end();
        });
        if (unfollow === undefined) end();
      });
      unfollow?.();
      return true;
    },
  };
}

/** `respond-async, wait=10` → 10, at most 30; undefined where no wait is preferred, or none that is a number. */
export function preferredWaitSeconds(prefer: string | readonly string[] | undefined): number | undefined {
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(String(prefer ?? ''))?.[1];
  return wait === undefined ? undefined : Math.min(LONGEST_WAIT_SECONDS, Number(wait));
}
