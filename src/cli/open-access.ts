import type { Server, ServerOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
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
  /** As the web configuration has it now. */
  readonly access: () => Access;
  /** Goes by another web configuration from now on. Returns what of it is read at the start only, and is not used before. */
  takeUp(web: Web): readonly string[];
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
  { config, https }: Web,
  { listen, tokenFile }: Pick<AgentSettings, 'listen' | 'tokenFile'>,
  logger: Logger,
): Result<OpenAccess, Problem> {
  const token = openAccessToken(tokenFile);
  if (!token.ok) return token;
  const isPublic = !isLoopback(listen.host);
  const { tls } = config;
  let access = accessOf(config, config, { token: token.value, isPublic });
  logger.info(
    access.guardsReading ? 'all requests need the token' : 'requests that change something need the token',
    {
      file: tokenFile,
      users: access.users.size,
    },
  );
  if (isPublic && tls === undefined) {
    logger.warn('whoever can listen on the network can read the token: configure TLS, see --web-config', {
      address: `${listen.host}:${listen.port}`,
    });
  }
  return ok({
    access: () => access,
    takeUp: ({ config: next }) => {
      access = accessOf(next, config, { token: token.value, isPublic });
      return isDeepStrictEqual(socketOf(next), socketOf(config)) ? [] : ['webConfig.tls_server_config'];
    },
    https,
    // Fastify types its server as one of plain HTTP whatever its options say.
    follow: (server) => (tls === undefined ? () => {} : followTlsFiles(server as Server, tls, logger)),
  });
}

/** @param first what the server was opened with: how clients show certificates is settled then */
function accessOf(
  { users, headers, rateLimit, tls }: WebConfig,
  first: WebConfig,
  { token, isPublic }: { readonly token: string; readonly isPublic: boolean },
): Access {
  const clientAllowedSans = tls?.clientAllowedSans ?? [];
  return {
    token,
    users,
    guardsReading: isPublic || users.size > 0,
    headers,
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(first.tls === undefined ? {} : { clientAuth: first.tls.clientAuth, clientAllowedSans }),
  };
}

/** What of TLS belongs to the open socket; names of clients are looked at for each request. */
function socketOf({ tls }: WebConfig): object | undefined {
  if (tls === undefined) return undefined;
  const { clientAllowedSans: _, ...socket } = tls;
  return socket;
}
