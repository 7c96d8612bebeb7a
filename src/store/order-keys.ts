import type { Database } from 'libsql';
import type { Clock } from '../core/clock.ts';
import type { Row } from './database.ts';

/** What the sender of an order calls it, so that it can be sent again without being carried out again. */
export interface OrderKey {
  readonly key: string;
  /** Of all that was asked for. */
  readonly digest: string;
}

const KEY_LIFETIME_MS = 24 * 3600 * 1000;

/** The keys under which runs were ordered. They are known for 24 hours; `add` belongs into the transaction that makes the run. */
export function createOrderKeys(db: Database, clock: Clock) {
  const insert = db.prepare(
    `INSERT OR REPLACE INTO order_keys (key, digest, run_id, created_ms) VALUES (@key, @digest, @id, @createdMs)`,
  );
  const forget = db.prepare('DELETE FROM order_keys WHERE created_ms < @beforeMs');
  const select = db.prepare(
    'SELECT digest, run_id FROM order_keys WHERE key = @key AND created_ms >= @sinceMs',
  );
  return {
    add: (key: OrderKey, id: string): void => {
      const createdMs = clock.wallMs();
      insert.run({ ...key, id, createdMs });
      forget.run({ beforeMs: createdMs - KEY_LIFETIME_MS });
    },
    find: (key: string): { readonly digest: string; readonly runId: string } | undefined => {
      const row = select.get({ key, sinceMs: clock.wallMs() - KEY_LIFETIME_MS }) as Row | undefined;
      return row === undefined ? undefined : { digest: String(row['digest']), runId: String(row['run_id']) };
    },
  };
}
