import type { ProfilerSettings } from '../../config/profiler-settings.ts';
import { asError } from '../../core/as-error.ts';
import type { Logger } from '../../core/log.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type GrpcServer, startGrpcServer } from '../grpc/grpc-server.ts';
import { type Capturing, profilerService } from './profiler-service.ts';

/**
 * Starts the ProfilerService where the settings say. Undefined where they say that there is to be none, and where the default
 * port is taken, which the log tells: nobody asked for it. Errors: `cannot-listen`, for an address that was asked for.
 */
export async function startProfiler(
  settings: ProfilerSettings | undefined,
  capture: Capturing,
  logger: Logger,
): Promise<Result<GrpcServer | undefined, Problem>> {
  if (settings === undefined) return ok(undefined);
  const { listen, isDefault } = settings;
  const address = `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}`;
  try {
    const server = await startGrpcServer(listen, profilerService(capture), { logger });
    logger.info('traces can be captured', { profiler: `${address}:${server.port}` });
    return ok(server);
  } catch (error) {
    const found = problem(
      'cannot-listen',
      `cannot offer captures on ${address}:${listen.port}: ${asError(error).message}`,
      { hint: 'choose another address with --profiler HOST:PORT, or do without: --profiler off' },
    );
    if (!isDefault) return err(found);
    logger.warn('traces cannot be captured', { ...found });
    return ok(undefined);
  }
}
