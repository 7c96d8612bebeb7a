import { asError } from '../../core/as-error.ts';
import type { Logger } from '../../core/log.ts';
import type { Reloader, ReloadTrigger } from '../../jobs/reload/reloader.ts';
import { watchConfig } from '../../jobs/reload/watch-config.ts';
import type { LiveConfig } from './live-config.ts';
import { type ConfigSource, placesOf } from './load-config.ts';
import type { DaemonSignals } from './signals.ts';
import type { Supervisor } from './supervisor.ts';

export interface FollowDeps {
  readonly source: ConfigSource;
  readonly configStamp: string;
  readonly reloader: Pick<Reloader<unknown>, 'reload' | 'status'>;
  readonly live: Pick<LiveConfig, 'settings'>;
  readonly signals: Pick<DaemonSignals, 'onHangup'>;
  readonly supervisor: Pick<Supervisor, 'reloading' | 'ready'>;
  readonly logger: Logger;
  /** For people: what the daemon does. */
  readonly status: () => string;
}

/** Takes the configuration up at SIGHUP and when its files change. Returns what ends it. */
export function followConfig({
  source,
  configStamp,
  reloader,
  live,
  signals,
  supervisor,
  logger,
  status,
}: FollowDeps): () => Promise<void> {
  let isOver = false;
  const reload = async (trigger: ReloadTrigger): Promise<void> => {
    if (isOver) return;
    if (trigger !== 'retry') supervisor.reloading();
    try {
      await reloader.reload(trigger);
    } catch (error) {
      logger.error('fault while taking up the configuration', { stack: asError(error).stack });
    }
    if (trigger !== 'retry' && !isOver) supervisor.ready(status());
  };
  signals.onHangup(() => void reload('signal'));
  const unwatch = watchConfig({
    since: configStamp,
    places: () => placesOf(source, live.settings),
    onChange: () => reload('files'),
    // What a profile names, such as its model, may have come meanwhile.
    onRest: async () => {
      if (!reloader.status.successful) await reload('retry');
    },
    logger,
  });
  return async () => {
    isOver = true;
    await unwatch();
  };
}
