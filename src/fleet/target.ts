import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

/** An agent of a fleet, as something that lists agents told of it. */
export interface Target {
  /** Its `instance` label, or its address. */
  readonly name: string;
  /** Where it listens; null where what lists it says that it cannot be asked, and `note` says why. */
  readonly url: URL | null;
  readonly labels: Readonly<Record<string, string>>;
  /** What the source has to say of it, as a sentence. */
  readonly note?: string;
}

/** Labels of Prometheus that mean something here. */
const SCHEME = '__scheme__';
const ADDRESS = '__address__';

/**
 * A target as Prometheus' discovery writes it: `host:port`, or a URL. The label `__scheme__` chooses https; labels that begin with two
 * underscores are not kept, as Prometheus does. Problem: `target-malformed`.
 */
export function targetOf(
  address: string,
  labels: Readonly<Record<string, string>>,
  scheme: 'http' | 'https' = 'http',
): Result<Target, Problem> {
  const chosen = labels[SCHEME] ?? scheme;
  const text = address.includes('://') ? address : `${chosen}://${labels[ADDRESS] ?? address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAddress = url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== '';
  if (!isAddress || (url.pathname !== '/' && url.pathname !== '') || url.username !== '') {
    return err(
      problem('target-malformed', `'${address}' is not the address of an agent`, {
        hint: 'write HOST:PORT, such as gpu-host-1:9477 or [::1]:9477, or a URL without a path',
      }),
    );
  }
  const kept = Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('__')));
  return ok({ name: kept['instance'] ?? url.host, url, labels: kept });
}

/** Each agent once, however many sources list it; the first one's word counts. */
export function withoutDuplicates(targets: readonly Target[]): readonly Target[] {
  const known = new Set<string>();
  return targets.filter(({ name, url }) => {
    const key = url === null ? name : url.origin;
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}
