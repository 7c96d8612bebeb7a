import type { Problem } from '../../core/problem.ts';
import { err, type Result } from '../../core/result.ts';
import type { Target } from '../target.ts';
import { parseTargetGroups } from '../target-groups.ts';
import { askSource, malformed, parseJson, type SourceAccess } from './ask-source.ts';

const WHAT = 'an HTTP service discovery';

/** The agents that an HTTP service discovery lists, as Prometheus asks it (`http_sd_configs`). Problems: those of `askSource`, `discovery-malformed`. */
export async function readHttpSd(
  url: URL,
  access: SourceAccess,
  scheme: 'http' | 'https',
): Promise<Result<readonly Target[], readonly Problem[]>> {
  const answer = await askSource(WHAT, url, access);
  if (!answer.ok) return err([answer.error]);
  const json = parseJson(answer.value, WHAT, url);
  if (!json.ok) return err([json.error]);
  const targets = parseTargetGroups(answer.value, url.href, scheme);
  if (targets.ok) return targets;
  const [first] = targets.error;
  const found = `no list of target groups: ${first?.message}${first?.place?.field === undefined ? '' : ` at ${first.place.field}`}`;
  return err([malformed(WHAT, url, found)]);
}
