import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { SourceAccess } from './sources/ask-source.ts';
import { readHttpSd } from './sources/http-sd.ts';
import { kubeAccess } from './sources/kube-access.ts';
import { readKubernetesPods } from './sources/kubernetes.ts';
import { readPrometheusTargets } from './sources/prometheus.ts';
import { type Target, targetOf, withoutDuplicates } from './target.ts';
import { readTargetFile } from './target-groups.ts';

/** What lists the agents of a fleet; several are joined. */
export interface FleetSources {
  /** `HOST:PORT` or URLs. */
  readonly agents: readonly string[];
  /** Files of Prometheus' file service discovery. */
  readonly files: readonly string[];
  /** HTTP service discoveries. */
  readonly httpSd: readonly URL[];
  readonly prometheus?: URL;
  /** The name of its scrape job. */
  readonly job: string;
  readonly kubernetes?: { readonly api?: URL; readonly selector: string; readonly namespace?: string };
  /** Where nothing says otherwise. */
  readonly scheme: 'http' | 'https';
}

export interface DiscoveryContext extends SourceAccess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readText: (path: string) => Promise<string>;
}

/**
 * The agents that any of the sources lists, each once. Problems: what is wrong of every source; `no-agents` where none is listed, or nothing says
 * where to look.
 */
export async function discoverAgents(
  sources: FleetSources,
  context: DiscoveryContext,
): Promise<Result<readonly Target[], readonly Problem[]>> {
  const { scheme } = sources;
  const found = await Promise.all([
    ...sources.agents.map(async (address) => named(address, scheme)),
    ...sources.files.map((file) => readTargetFile(file, scheme, context.readText)),
    ...sources.httpSd.map((url) => readHttpSd(url, context, scheme)),
    ...(sources.prometheus === undefined
      ? []
      : [readPrometheusTargets(sources.prometheus, sources.job, context)]),
    ...(sources.kubernetes === undefined ? [] : [inKubernetes(sources, context)]),
  ]);
  if (found.length === 0) {
    const hint =
      'name agents with --agent HOST:PORT, or what lists them: --targets FILE, --sd URL, --prometheus URL, --kubernetes';
    return err([problem('no-agents', 'nothing says which agents the fleet has', { hint })]);
  }
  const problems = found.flatMap((one) => (one.ok ? [] : one.error));
  if (problems.length > 0) return err(problems);
  const targets = withoutDuplicates(found.flatMap((one) => (one.ok ? one.value : [])));
  if (targets.length > 0) return ok(targets);
  const hint = sources.prometheus === undefined ? '' : ` of the job '${sources.job}' (--job)`;
  return err([problem('no-agents', `no agent is listed${hint}`, { hint: 'see what the source has' })]);
}

function named(address: string, scheme: 'http' | 'https'): Result<readonly Target[], readonly Problem[]> {
  const target = targetOf(address, {}, scheme);
  return target.ok ? ok([target.value]) : err([target.error]);
}

async function inKubernetes(
  { kubernetes, scheme }: FleetSources,
  { env, timeoutMs }: DiscoveryContext,
): Promise<Result<readonly Target[], readonly Problem[]>> {
  const { api, selector = '', namespace } = kubernetes ?? {};
  const access = kubeAccess(api, env);
  if (!access.ok) return err([access.error]);
  const query = { selector, timeoutMs, ...(namespace === undefined ? {} : { namespace }) };
  return readKubernetesPods(access.value, query, scheme);
}
