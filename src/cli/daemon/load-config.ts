import { loadProfiles } from '../../config/load-profiles.ts';
import type { Profile } from '../../config/profile.ts';
import { type AgentSettings, loadSettings, type SettingsOverrides } from '../../config/settings.ts';
import type { Problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ConfigPlaces } from '../../jobs/reload/watch-config.ts';
import { loadWeb, type Web } from '../open-access.ts';

/** All that the daemon goes by. */
export interface DaemonConfig {
  readonly settings: AgentSettings;
  readonly web: Web;
  readonly profiles: readonly Profile[];
}

/** Where the configuration comes from. */
export interface ConfigSource {
  /** The file of settings; defaults where there is none. */
  readonly file: string | undefined;
  readonly overrides: SettingsOverrides;
}

/** What a daemon starts with: a profile that cannot be used keeps no other model from being served. */
export async function loadFirstConfig({
  file,
  overrides,
}: ConfigSource): Promise<
  Result<DaemonConfig & { readonly profileProblems: readonly Problem[] }, readonly Problem[]>
> {
  const settings = await loadSettings(file, overrides);
  if (!settings.ok) return settings;
  const web = await loadWeb(settings.value.webConfigFile);
  if (!web.ok) return web;
  const { profiles, problems } = await loadProfiles(settings.value.profilesDir, settings.value.roots);
  return ok({ settings: settings.value, web: web.value, profiles, profileProblems: problems });
}

/** What a daemon that runs changes to: all of it is good, or nothing is used. */
export async function loadWholeConfig(
  source: ConfigSource,
): Promise<Result<DaemonConfig, readonly Problem[]>> {
  const loaded = await loadFirstConfig(source);
  return loaded.ok && loaded.value.profileProblems.length > 0 ? err(loaded.value.profileProblems) : loaded;
}

/** What to watch for changes. */
export function placesOf(
  { file }: ConfigSource,
  { profilesDir, webConfigFile }: Pick<AgentSettings, 'profilesDir' | 'webConfigFile'>,
): ConfigPlaces {
  return { profilesDir, files: [file, webConfigFile].filter((name) => name !== undefined) };
}
