import { gaugeFamily, type MetricRegistry } from './families.ts';

export interface ReloadMetrics {
  /** Tells how the last attempt to take up the configuration ended. */
  recordReload(attempt: {
    readonly successful: boolean;
    /** When the configuration that is in use was taken up, in milliseconds since the Unix epoch; undefined where none ever was. */
    readonly lastSuccessWallMs: number | undefined;
    /** How many settings have another value in the file than in use, because they are read at the start only. */
    readonly restartNeeded: number;
  }): void;
}

/** Registers what tells whether the daemon goes by the configuration that lies on the disk. */
export function createReloadMetrics(registry: MetricRegistry): ReloadMetrics {
  const gauge = (name: string, help: string) => gaugeFamily({ registry, name, help, labelNames: [] });
  const successful = gauge(
    'ptq_config_last_reload_successful',
    '1 if the settings and profiles could be read the last time that they were, otherwise 0: then those from before are in use.',
  );
  const since = gauge(
    'ptq_config_last_reload_success_timestamp_seconds',
    'When settings and profiles were last taken up.',
  );
  const restart = gauge(
    'ptq_config_restart_needed',
    'Settings that were changed but are read at the start only, so that the daemon has to be restarted for them.',
  );
  return {
    recordReload: (attempt) => {
      successful.set({}, attempt.successful ? 1 : 0);
      since.set({}, attempt.lastSuccessWallMs === undefined ? undefined : attempt.lastSuccessWallMs / 1e3);
      restart.set({}, attempt.restartNeeded);
    },
  };
}
