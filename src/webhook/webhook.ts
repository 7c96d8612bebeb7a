import { readFileSync } from 'node:fs';
import type { Logger } from '../core/log.ts';
import { type Alert, fingerprintOf, webhookBody } from './alert-payload.ts';
import { type PostOutcome, postJson, type WebhookTarget } from './post-json.ts';

/** Where alerts go, as the settings have it: secrets lie in files. */
export interface WebhookSettings {
  /** One of the two is given. An address that is a secret itself is the only line of a file. */
  readonly url?: string;
  readonly urlFile?: string;
  /** Sent as a bearer token. */
  readonly tokenFile?: string;
  readonly caFile?: string;
  /** Under which people reach the page of the daemon. */
  readonly externalUrl?: string;
}

export interface WebhookDeps {
  /** Undefined where nobody is to be told. */
  readonly settings: () => WebhookSettings | undefined;
  readonly logger: Logger;
  readonly onOutcome?: (outcome: PostOutcome['kind']) => void;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How long to wait for more of a group, 1 s unless given, and twice as long after each failure. */
  readonly waitMs?: number;
}

const WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60_000;
const MOST_PENDING = 1000;

/**
 * Tells a webhook what began and what ended, at least once each: what could not be told is tried again, later and later, as long as
 * nothing newer is to be told of the same. What is refused for good is given up.
 */
export class Webhook {
  readonly #deps: WebhookDeps;
  /** By fingerprint. */
  readonly #pending = new Map<string, Alert>();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #sending = false;
  #closed = false;

  constructor(deps: WebhookDeps) {
    this.#deps = deps;
  }

  /** Tells of an alert some time soon. Never waits. */
  tell(alert: Alert): void {
    if (this.#closed || this.#deps.settings() === undefined) return;
    const key = fingerprintOf(alert.labels);
    this.#pending.delete(key);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= MOST_PENDING && oldest !== undefined) this.#pending.delete(oldest);
    this.#pending.set(key, alert);
    this.#sendLater();
  }

  /** What is not told yet is told by the next daemon. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #sendLater(): void {
    if (this.#timer !== undefined || this.#sending || this.#closed || this.#pending.size === 0) return;
    const { waitMs = WAIT_MS, random } = this.#deps;
    // Receivers that come back are not asked by all daemons at the same moment.
    const spread = this.#failures === 0 ? 1 : 0.5 + random();
    const wait = Math.min(waitMs * 2 ** this.#failures, LONGEST_WAIT_MS) * spread;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, wait);
    this.#timer.unref();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    let hasFailed = false;
    for (const group of groupsOf([...this.#pending.values()])) {
      if (this.#closed) break;
      const outcome = await this.#post(group);
      if (outcome.kind === 'failed') hasFailed = true;
      else this.#forget(group);
    }
    this.#sending = false;
    this.#failures = hasFailed ? this.#failures + 1 : 0;
    this.#sendLater();
  }

  async #post(alerts: readonly Alert[]): Promise<PostOutcome> {
    const { settings, logger, onOutcome } = this.#deps;
    const current = settings();
    if (current === undefined) return { kind: 'refused' };
    const outcome = await sendAlerts(current, alerts);
    onOutcome?.(outcome.kind);
    const about = { alerts: alerts.length, ...outcome };
    if (outcome.kind === 'sent') logger.info('the webhook was told', about);
    else if (outcome.kind === 'refused') logger.error('the webhook refuses what it is told', about);
    else logger.warn('the webhook cannot be told now and is told later', about);
    return outcome;
  }

  /** Unless something newer came meanwhile. */
  #forget(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      const key = fingerprintOf(alert.labels);
      if (this.#pending.get(key) === alert) this.#pending.delete(key);
    }
  }
}

/** Sends alerts of one group once. The files of the settings are read each time, so that secrets can change. */
export async function sendAlerts(settings: WebhookSettings, alerts: readonly Alert[]): Promise<PostOutcome> {
  let target: WebhookTarget;
  try {
    target = targetOf(settings);
  } catch (error) {
    const { code = 'no address', path = '' } = error as NodeJS.ErrnoException;
    return { kind: 'failed', reason: `${code} ${path}`.trim() };
  }
  const { labels = {} } = alerts[0] ?? {};
  const body = webhookBody(alerts, groupOf(labels), settings.externalUrl ?? '');
  return postJson(target, JSON.stringify(body));
}

function targetOf({ url, urlFile, tokenFile, caFile }: WebhookSettings): WebhookTarget {
  const address = url ?? readFileSync(urlFile ?? '', 'utf8').trim();
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw Object.assign(new Error('no address'), {
      code: 'there is no http or https address in',
      path: urlFile,
    });
  return {
    url: address,
    ...(tokenFile === undefined ? {} : { token: readFileSync(tokenFile, 'utf8').trim() }),
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
  };
}

function groupsOf(alerts: readonly Alert[]): readonly (readonly Alert[])[] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = JSON.stringify(groupOf(alert.labels));
    groups.set(key, [...(groups.get(key) ?? []), alert]);
  }
  return [...groups.values()];
}

/** What is told in one message: the same thing of all variants of a model. */
function groupOf({ alertname, model }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { ...(alertname === undefined ? {} : { alertname }), ...(model === undefined ? {} : { model }) };
}
