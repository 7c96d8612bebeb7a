import { readFile, stat } from 'node:fs/promises';
import type { Server, ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from '../../config/web-config.ts';
import type { Logger } from '../../core/log.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';

export type TlsProblem = Problem<'tls-unusable'>;

/** What Go's names of ways to ask for a client's certificate mean here. */
const CLIENT_AUTH: Readonly<
  Record<TlsConfig['clientAuth'], Pick<ServerOptions, 'requestCert' | 'rejectUnauthorized'>>
> = {
  NoClientCert: { requestCert: false, rejectUnauthorized: false },
  RequestClientCert: { requestCert: true, rejectUnauthorized: false },
  RequireAnyClientCert: { requestCert: true, rejectUnauthorized: false },
  VerifyClientCertIfGiven: { requestCert: true, rejectUnauthorized: false },
  RequireAndVerifyClientCert: { requestCert: true, rejectUnauthorized: true },
};

/** Reads certificate and key, and tries them. Errors: `tls-unusable`, which names the file. */
export async function tlsOptions(tls: TlsConfig): Promise<Result<ServerOptions, TlsProblem>> {
  const files = {
    cert: tls.certFile,
    key: tls.keyFile,
    ...(tls.clientCaFile === undefined ? {} : { ca: tls.clientCaFile }),
  };
  const read: Record<string, Buffer> = {};
  for (const [option, file] of Object.entries(files)) {
    try {
      read[option] = await readFile(file);
    } catch (error) {
      return unusable((error as NodeJS.ErrnoException).code ?? String(error), file);
    }
  }
  const options = { ...read, minVersion: tls.minVersion, maxVersion: tls.maxVersion };
  try {
    createSecureContext(options);
  } catch (error) {
    return unusable((error as Error).message, tls.certFile);
  }
  return ok({ ...options, ...CLIENT_AUTH[tls.clientAuth] });
}

const LOOK_EVERY_MS = 10_000;

/**
 * Has a server take up its certificate anew whenever its files change, as they do when it is renewed; connections stay.
 * Files that cannot be used leave it as it is, and the log says why. Returns the function that ends it.
 */
export function followTlsFiles(
  server: Server,
  tls: TlsConfig,
  logger: Logger,
  everyMs: number = LOOK_EVERY_MS,
): () => void {
  let known: string | undefined;
  const look = async () => {
    const seen = await stampOf(tls);
    if (seen === known) return;
    const isFirst = known === undefined;
    known = seen;
    if (isFirst) return;
    const options = await tlsOptions(tls);
    if (!options.ok) return logger.error(options.error.message, { ...options.error.place });
    server.setSecureContext(options.value);
    logger.info('the certificate was taken up anew', { file: tls.certFile });
  };
  let last = look();
  const timer = setInterval(() => {
    last = last.then(look);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Differs when one of the files does; what cannot be read is as if it were empty. */
async function stampOf({ certFile, keyFile, clientCaFile }: TlsConfig): Promise<string> {
  const files = [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])];
  const stamps = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mtimeMs, ino, size }) => `${mtimeMs} ${ino} ${size}`,
        () => '',
      ),
    ),
  );
  return stamps.join('\n');
}

function unusable(reason: string, file: string): Result<never, TlsProblem> {
  return err(
    problem('tls-unusable', `TLS cannot be offered: ${reason}`, {
      place: { file },
      hint: 'certificate and key must be PEM files that belong together and that this user may read',
    }),
  );
}
