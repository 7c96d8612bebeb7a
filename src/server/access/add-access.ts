import { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ClientAuth, RateLimit } from '../../config/web-config.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { guardRequest } from '../guard.ts';
import { sendProblem } from '../problem-response.ts';
import { hasAllowedSan } from './client-certificate.ts';
import { type Authorizer, type Credentials, createAuthorizer } from './credentials.ts';
import { PROBES } from './probes.ts';
import { createRateLimiter, type RateLimiter } from './rate-limit.ts';

/** Who may do what. */
export interface Access extends Credentials {
  /** Whether reading needs a credential, too: where other machines can ask, or users are configured. */
  readonly guardsReading: boolean;
  readonly clientAuth?: ClientAuth;
  readonly clientAllowedSans?: readonly string[];
  /** Sent with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly rateLimit?: RateLimit;
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets pass only who may. What changes something always needs a credential: a web page can reach a daemon on loopback.
 * @param current asked for each request, as users and limits can change
 */
export function addAccess(app: FastifyInstance, current: () => Access): void {
  const partsOf = partsOfNewest();
  app.addHook('onRequest', async (request, reply) => {
    const access = current();
    const { limiter } = partsOf(access);
    reply.headers(access.headers ?? {});
    const { headers, protocol: scheme } = request;
    const isProbe = PROBES.has(request.url);
    const waitSeconds = isProbe ? 0 : (limiter?.takeSeconds() ?? 0);
    if (waitSeconds > 0) {
      const tooMany = problem('rate-limited', 'this is more often than the daemon is configured to answer');
      return sendProblem(reply.header('retry-after', Math.ceil(waitSeconds)), [tooMany]);
    }
    const refusal =
      guardRequest(headers.host, headers.origin, { anyHost: access.guardsReading, scheme }) ??
      (isProbe ? undefined : await missing(request, access));
    if (refusal === undefined) return;
    if (refusal.kind === 'unauthorized') reply.header('www-authenticate', challengesOf(access));
    return sendProblem(reply, [refusal]);
  });

  const missing = async (
    { method, headers, socket, routeOptions }: FastifyRequest,
    access: Access,
  ): Promise<Problem | undefined> => {
    const { authorize } = partsOf(access);
    const { clientAuth = 'NoClientCert', clientAllowedSans = [], guardsReading } = access;
    if (clientAuth !== 'NoClientCert' && !showsWhatIsAsked(socket, clientAuth))
      return problem('foreign-certificate', 'the certificate of the client is missing or not accepted');
    if (clientAuth.includes('Verify') && socket instanceof TLSSocket && socket.authorized) {
      return hasAllowedSan(socket, clientAllowedSans)
        ? undefined
        : problem(
            'foreign-certificate',
            'the certificate of the client has none of the names that are allowed',
          );
    }
    return guardsReading || startsWork(routeOptions) || !READING.has(method)
      ? authorize(headers.authorization)
      : undefined;
  };
}

interface AccessParts {
  readonly access: Access;
  readonly authorize: Authorizer;
  readonly limiter: RateLimiter | undefined;
}

/** What an access needs that remembers something: made anew with another access, which forgets whom the last one knew. */
function partsOfNewest() {
  let newest: AccessParts | undefined;
  return (access: Access): AccessParts => {
    if (newest?.access !== access) {
      const { rateLimit } = access;
      newest = {
        access,
        authorize: createAuthorizer(access),
        limiter: rateLimit === undefined ? undefined : createRateLimiter(rateLimit, () => performance.now()),
      };
    }
    return newest;
  };
}

/** A page of another origin can make a browser GET anything of this host. */
function startsWork({ config }: FastifyRequest['routeOptions']): boolean {
  const { operation } = config;
  return operation !== undefined && operation !== false && operation.startsWork === true;
}

/** Without verification a certificate proves nothing; a wrong one is worse than none where those given are verified. */
function showsWhatIsAsked(socket: FastifyRequest['socket'], clientAuth: ClientAuth): boolean {
  if (!(socket instanceof TLSSocket)) return false;
  const isGiven = socket.getPeerX509Certificate() !== undefined;
  switch (clientAuth) {
    case 'RequireAnyClientCert':
      return isGiven;
    case 'VerifyClientCertIfGiven':
      return !isGiven || socket.authorized;
    case 'RequireAndVerifyClientCert':
      return socket.authorized;
    default:
      return true;
  }
}

function challengesOf({ users, guardsReading }: Access): string[] {
  // A browser then asks for a name and a password. Where everybody may read, the page itself asks for the token.
  const asksBrowsers = users.size > 0 || guardsReading;
  return ['Bearer realm="ptq-agent"', ...(asksBrowsers ? ['Basic realm="ptq-agent", charset="UTF-8"'] : [])];
}
