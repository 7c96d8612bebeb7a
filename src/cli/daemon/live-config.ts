import type { AgentSettings } from '../../config/settings.ts';
import { changedSettings } from '../../config/settings-changes.ts';
import type { Agent } from '../../jobs/agent.ts';
import type { TakenUp } from '../../jobs/reload/reloader.ts';
import type { Sampler } from '../../telemetry/sampler.ts';
import type { JsonLogger } from '../loggers.ts';
import type { OpenAccess } from '../open-access.ts';
import type { DaemonConfig } from './load-config.ts';

/** What a configuration is taken up by. */
export interface LiveParts {
  readonly agent: Pick<Agent, 'takeUp' | 'isRunning'>;
  readonly access: Pick<OpenAccess, 'takeUp'>;
  readonly sampler: Pick<Sampler, 'setIntervalMs'>;
  readonly logger: Pick<JsonLogger, 'setLevel'>;
}

/** The settings that the daemon goes by at the moment. */
export class LiveConfig {
  readonly #started: AgentSettings;
  #settings: AgentSettings;

  constructor({ settings }: Pick<DaemonConfig, 'settings'>) {
    this.#started = settings;
    this.#settings = settings;
  }

  get settings(): AgentSettings {
    return this.#settings;
  }

  /** Goes by another configuration from now on, except for what is read at the start only. */
  takeUp({ settings, web, profiles }: DaemonConfig, { agent, access, sampler, logger }: LiveParts): TakenUp {
    const before = this.#settings;
    this.#settings = settings;
    logger.setLevel(settings.log.level);
    // A run has a pace of its own, and gives that of the settings back when it ends.
    if (settings.samplerIntervalMs !== before.samplerIntervalMs && !agent.isRunning())
      sampler.setIntervalMs(settings.samplerIntervalMs);
    const ofWeb = access.takeUp(web);
    return {
      models: agent.takeUp(profiles),
      settings: changedSettings(before, settings, { canChange: true }),
      restartNeeded: [...changedSettings(this.#started, settings, { canChange: false }), ...ofWeb],
    };
  }
}
