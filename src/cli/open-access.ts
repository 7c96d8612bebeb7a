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

/** Reads the web configuration and the token, which is made where there is none. Problems: those of both, `tls-unusable`. */
export async function openAccess(
  { listen, webConfigFile, tokenFile }: Pick<AgentSettings, 'listen' | 'webConfigFile' | 'tokenFile'>,
  logger: Logger,
): Promise<Result<OpenAccess, readonly Problem[]>> {
  const config = webConfigFile === undefined ? ok(OPEN) : await loadWebConfig(webConfigFile);
  if (!config.ok) return config;
  const { tls, users, headers, rateLimit } = config.value;
  const https = tls === undefined ? ok(null) : await tlsOptions(tls);
  if (!https.ok) return err([https.error]);
  const token = openAccessToken(tokenFile);
  if (!token.ok) return err([token.error]);
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
    https: https.value,
    // Fastify types its server as one of plain HTTP whatever its options say.
    follow: (server) => (tls === undefined ? () => {} : followTlsFiles(server as Server, tls, logger)),
  });
}
