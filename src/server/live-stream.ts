import type { ServerResponse } from 'node:http';
import type { HttpMetrics } from '../metrics/http-metrics.ts';
import type { ConnectionLimits } from './connections.ts';

/** What routes with such an answer go by. */
export interface StreamContext {
  readonly limits: Pick<ConnectionLimits, 'stalledMs'>;
  readonly metrics: HttpMetrics | undefined;
}

/** An answer that goes on as things happen, to a client that may not keep up. */
export interface LiveStream {
  /** False where so much waits already that this was left out. */
  write(text: string): boolean;
}

export interface LiveStreamOptions {
  /** Text that may wait for the client. */
  readonly mostWaitingBytes: number;
  /** How long something may wait without ever all of it being taken. */
  readonly stalledMs: number;
  /** Whether the stream ends when more waits, rather than leave something out. */
  readonly endsWhenFull: boolean;
  /** Told when the connection is ended for that. */
  readonly onDropped: () => void;
}

/** Bounds what is kept for a client that does not read: beyond that its connection is ended. */
export function liveStream(
  response: ServerResponse,
  { mostWaitingBytes, stalledMs, endsWhenFull, onDropped }: LiveStreamOptions,
): LiveStream {
  const drop = (): void => {
    if (response.destroyed) return;
    onDropped();
    response.destroy();
  };
  let stalledLooks = 0;
  const looks = 4;
  const looking = setInterval(() => {
    stalledLooks = response.writableLength === 0 ? 0 : stalledLooks + 1;
    if (stalledLooks >= looks) drop();
  }, stalledMs / looks);
  looking.unref();
  response.once('close', () => clearInterval(looking));
  return {
    write: (text) => {
      if (response.writableLength <= mostWaitingBytes) {
        response.write(text);
        return true;
      }
      if (endsWhenFull) drop();
      return false;
    },
  };
}
