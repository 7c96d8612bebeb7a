import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Daemon } from '../daemon.ts';
import type { Operation, Target } from './hostile-requests.ts';

/** What of a daemon can be attacked: all that its own description lists, so that a new route is among it by itself. */
export async function targetOf(daemon: Daemon, dataDir: string): Promise<Target> {
  const description = (await (await daemon.get('/openapi.json')).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const operations = Object.entries(description.paths).flatMap(([path, methods]): readonly Operation[] =>
    Object.keys(methods)
      .filter((method) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
      .map((method) => ({ method, path })),
  );
  const runs = await daemon.runs();
  return {
    host: new URL(daemon.url).host,
    token: readFileSync(join(dataDir, 'token'), 'utf8').trim(),
    operations,
    names: ['digits', 'fp32', 'int8', ...runs.map(({ id }) => id)],
  };
}
