import type { Client, ClientProblem, ClientResult, Host, Model, RunSummary } from '../client/client.ts';
import type { FanOut, FleetAgent } from './fleet-agent.ts';
import { hostClassOf } from './host-class.ts';
import { inParallel } from './in-parallel.ts';

/**
 * `refused`: it wants another credential. `unreachable`: nothing answers, or its source says that it is not up. `no-agent`: what answers is none, or one
 * that this version does not understand.
 */
export type AgentState = 'ready' | 'starting' | 'stopping' | 'refused' | 'unreachable' | 'no-agent';

/** What is known of an agent of the fleet. Figures are there where it could be asked for them. */
export interface AgentReport {
  readonly agent: string;
  readonly url: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: AgentState;
  /** Why it is not ready, as a sentence, and what what lists it says of it. */
  readonly reason?: string;
  readonly note?: string;
  readonly version?: string;
  readonly hostClass?: string;
  readonly host?: Host['host'];
  readonly sampler?: string;
  readonly models?: number;
  /** Variants by the verdict of their last evaluation. */
  readonly verdicts?: Readonly<Record<string, number>>;
  /** `model/variant` of those that regressed, and of those that are slower than fp32. */
  readonly regressed?: readonly string[];
  readonly slowerThanFp32?: readonly string[];
  readonly running?: Pick<RunSummary, 'id' | 'model' | 'kind'>;
  readonly waiting?: number;
}

/** What to do where an agent wants a credential. */
export const CREDENTIAL_HINT = 'name its token with --token-file or --token-dir';

/** Asks every agent how it is. One that does not answer is in the list as well. */
export function surveyFleet(
  agents: readonly FleetAgent[],
  { parallel }: FanOut,
): Promise<readonly AgentReport[]> {
  return inParallel(agents, parallel, surveyAgent);
}

async function surveyAgent({ target, client }: FleetAgent): Promise<AgentReport> {
  const { name: agent, url, labels, note } = target;
  const about = {
    agent,
    url: url?.origin ?? null,
    labels,
    ...(note === undefined || client === null ? {} : { note }),
  };
  if (client === null) return { ...about, state: 'unreachable', reason: note ?? 'it has no address' };
  // Of one that is not there the first answer is enough.
  const readiness = await client.getReadiness();
  if (!readiness.ok) return { ...about, ...failed(readiness.error) };
  const { status } = readiness.value as { readonly status?: unknown };
  if (status !== 'ready' && status !== 'starting' && status !== 'stopping') {
    return { ...about, state: 'no-agent', reason: 'what answers is no ptq-agent' };
  }
  const facts = await factsOf(client);
  return facts.ok ? { ...about, state: status, ...facts.value } : { ...about, ...failed(facts.error) };
}

function failed({ kind, message }: ClientProblem): Pick<AgentReport, 'state' | 'reason'> {
  if (kind === 'daemon-unreachable') return { state: 'unreachable', reason: message };
  const isRefusal = kind === 'unauthorized' || kind === 'forbidden';
  return isRefusal
    ? { state: 'refused', reason: `${message}; ${CREDENTIAL_HINT}` }
    : { state: 'no-agent', reason: message };
}

async function factsOf(client: Client): Promise<ClientResult<Partial<AgentReport>>> {
  const [overview, host, models, running, queued] = await Promise.all([
    client.getOverview(),
    client.getHost(),
    client.listModels(),
    client.listRuns({ state: 'running', limit: '1' }),
    client.listRuns({ state: 'queued', limit: '200' }),
  ]);
  for (const answer of [overview, host, models, running, queued]) if (!answer.ok) return answer;
  if (!overview.ok || !host.ok || !models.ok || !running.ok || !queued.ok) throw new Error('seen above');
  const [now] = running.value;
  return {
    ok: true,
    value: {
      version: overview.value.version,
      host: host.value.host,
      hostClass: hostClassOf(host.value.host).description,
      sampler: host.value.sampler,
      ...judged(models.value),
      ...(now === undefined ? {} : { running: { id: now.id, model: now.model, kind: now.kind } }),
      waiting: queued.value.length,
    },
  };
}

function judged(
  models: readonly Model[],
): Pick<AgentReport, 'models' | 'verdicts' | 'regressed' | 'slowerThanFp32'> {
  const verdicts: Record<string, number> = {};
  const regressed: string[] = [];
  const slowerThanFp32: string[] = [];
  for (const { name, variants } of models) {
    for (const { variant, accuracy, speedUps } of variants) {
      if (accuracy !== undefined) verdicts[accuracy.verdict] = (verdicts[accuracy.verdict] ?? 0) + 1;
      if (accuracy?.verdict === 'regressed') regressed.push(`${name}/${variant}`);
      if (speedUps.some(({ outcome, valid }) => valid && outcome === 'slower'))
        slowerThanFp32.push(`${name}/${variant}`);
    }
  }
  return { models: models.length, verdicts, regressed, slowerThanFp32 };
}
