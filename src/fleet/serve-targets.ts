import { createServer, type Server } from 'node:http';
import type { ListenAddress } from '../config/listen-address.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Target } from './target.ts';
import { toTargetGroups } from './target-groups.ts';

/** Where Prometheus asks for the list. */
const TARGETS_PATH = '/targets';
const HEADERS_TIMEOUT_MS = 10_000;

export interface TargetServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Serves the agents of a fleet as Prometheus' HTTP service discovery asks for them: https://prometheus.io/docs/prometheus/latest/http_sd/. Where
 * they cannot be found now, the answer is 503, with which Prometheus keeps those that it has. Problem: `cannot-listen`.
 * @param find looks anew; requests that come meanwhile share what it finds
 */
export async function serveTargets(
  { host, port }: ListenAddress,
  find: () => Promise<Result<readonly Target[], readonly Problem[]>>,
): Promise<Result<TargetServer, Problem>> {
  let looking: ReturnType<typeof find> | undefined;
  const look = () => {
    looking ??= find().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(method === 'HEAD' ? undefined : JSON.stringify(body));
    };
    const [path] = url.split('?', 1);
    if (path === '/-/healthy') return send(200, { status: 'healthy' });
    if (path !== TARGETS_PATH) return send(404, { error: `the list is at ${TARGETS_PATH}` });
    if (method !== 'GET' && method !== 'HEAD') return send(405, { error: 'the list can only be read' });
    void look().then(
      (found) => {
        if (found.ok) send(200, toTargetGroups(found.value));
        else send(503, { error: found.error.map(({ message }) => message).join('; ') });
      },
      () => send(500, { error: 'a fault of ptq-agent itself' }),
    );
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  const failure = await listen(server, host, port);
  if (failure !== undefined) {
    const hint = 'choose another address with --listen HOST:PORT';
    const message = `nobody can listen at ${host}:${port} (${failure.code ?? failure.message})`;
    return err(problem('cannot-listen', message, { hint }));
  }
  const address = server.address();
  const chosen = typeof address === 'object' && address !== null ? address.port : port;
  return ok({
    url: `http://${host.includes(':') ? `[${host}]` : host}:${chosen}${TARGETS_PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function listen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, host, () => {
      server.removeListener('error', resolve);
      resolve(undefined);
    });
  });
}
