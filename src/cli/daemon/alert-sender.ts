import { hostname } from 'node:os';
import type { AgentSettings } from '../../config/settings.ts';
import type { AlertSender } from '../../jobs/watching/regression-alert.ts';

/** How this daemon is called where it tells of something: by its address, or the name of its host where it listens on all of them. */
export function alertSender({ listen, watch }: Pick<AgentSettings, 'listen' | 'watch'>): AlertSender {
  const { host, port } = listen;
  const isAll = host === '0.0.0.0' || host === '::';
  const name = isAll ? hostname() : host;
  const instance = `${name.includes(':') ? `[${name}]` : name}:${port}`;
  const url = watch.webhook?.externalUrl ?? `http://${instance}`;
  return { instance, url: url.replace(/\/$/, '') };
}
