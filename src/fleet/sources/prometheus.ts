import Type from 'typebox';
import { Check } from 'typebox/value';
import type { Problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type Target, targetOf } from '../target.ts';
import { askSource, malformed, parseJson, type SourceAccess } from './ask-source.ts';

const WHAT = 'Prometheus';

/** https://prometheus.io/docs/prometheus/latest/querying/api/#targets, as far as it is read. */
const TargetsSchema = Type.Object({
  data: Type.Object({
    activeTargets: Type.Array(
      Type.Object({
        labels: Type.Record(Type.String(), Type.String()),
        scrapeUrl: Type.String(),
        health: Type.String(),
        lastError: Type.String(),
      }),
    ),
  }),
});

/**
 * The agents that a Prometheus scrapes under the name of a job, whatever it found them by. Problems: those of `askSource`,
 * `discovery-malformed`.
 */
export async function readPrometheusTargets(
  base: URL,
  job: string,
  access: SourceAccess,
): Promise<Result<readonly Target[], readonly Problem[]>> {
  const url = new URL('api/v1/targets?state=active', base.pathname.endsWith('/') ? base : `${base.href}/`);
  const answer = await askSource(WHAT, url, access);
  if (!answer.ok) return err([answer.error]);
  const json = parseJson(answer.value, WHAT, url);
  if (!json.ok) return err([json.error]);
  if (!Check(TargetsSchema, json.value)) return err([malformed(WHAT, url, 'no list of targets')]);
  const targets: Target[] = [];
  for (const { labels, scrapeUrl, health, lastError } of json.value.data.activeTargets) {
    if (labels['job'] !== job || !URL.canParse(scrapeUrl)) continue;
    const { job: _job, ...own } = labels;
    const target = targetOf(new URL(scrapeUrl).origin, own);
    if (!target.ok) return err([target.error]);
    const note = health === 'down' ? { note: `Prometheus cannot scrape it: ${lastError}` } : {};
    targets.push({ ...target.value, ...note });
  }
  return ok(targets);
}
