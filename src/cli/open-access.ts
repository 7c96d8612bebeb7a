import type { Server, ServerOptions } from 'node:https';
import { isLoopback } from '../config/listen-address.ts';
import type { AgentSettings } from '../config/settings.ts';
import { loadWebConfig, type WebConfig } from '../config/web-config.ts';
import type { Logger } from '../core/log.ts';
import type { Problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Access } from '../server/access/add-access.ts';
import { followTlsFiles, tlsOptions } from '../server/access/tls.ts';
import { openAccessToken } from '../store/access-token.ts';

/** Who may ask the daemon, and over what. */
export interface OpenAccess {
  readonly access: Access;
  /** Null for plain HTTP. */
  readonly https: ServerOptions | null;
  /** Keeps up with the files of the certificate. Returns the function that ends it. */
  follow(server: unknown): () => void;
}

const OPEN: WebConfig = { users: new Map(), headers: {} };

/** What the web configuration says, found usable. */
export interface Web {
  readonly config: WebConfig;
  /** Null for plain HTTP. */
  readonly https: ServerOptions | null;
}

/** Reads and tries the web configuration, and writes nothing. Problems: those of `loadWebConfig`, `tls-unusable`. */
export async function loadWeb(file: string | undefined): Promise<Result<Web, readonly Problem[]>> {
  const config = file === undefined ? ok(OPEN) : await loadWebConfig(file);
  if (!config.ok) return config;
  const { tls } = config.value;
  const https = tls === undefined ? ok(null) : await tlsOptions(tls);
  return https.ok ? ok({ config: config.value, https: https.value }) : err([https.error]);
}

/** Reads the token, which is made where there is none. Problems: those of `openAccessToken`. */
export function openAccess(
  { config: { tls, users, headers, rateLimit }, https }: Web,
  { listen, tokenFile }: Pick<AgentSettings, 'listen' | 'tokenFile'>,
  logger: Logger,
): Result<OpenAccess, Problem> {
  const token = openAccessToken(tokenFile);
  if (!token.ok) return token;
  const isPublic = !isLoopback(listen.host);
  const guardsReading = isPublic || users.size > 0;
  logger.info(
    guardsReading ? 'all requests need the token' : 'requests that change something need the token',
    {
      file: tokenFile,
      users: users.size,
    },
  );
  if (isPublic && tls === undefined) {
    logger.warn('whoever can listen on the network can read the token: configure TLS, see --web-config', {
      address: `${listen.host}:${listen.port}`,
    });
  }
  return ok({
    access: {
      token: token.value,
      users,
      guardsReading,
      headers,
      ...(rateLimit === undefined ? {} : { rateLimit }),
      ...(tls === undefined ? {} : { clientAuth: tls.clientAuth, clientAllowedSans: tls.clientAllowedSans }),
    },
    https,
    // Fastify types its server as one of plain HTTP whatever its options say.
    follow: (server) => (tls === undefined ? () => {} : followTlsFiles(server as Server, tls, logger)),
  });
}
