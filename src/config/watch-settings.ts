import Type from 'typebox';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What the daemon does about what it watches from run to run. */
export interface WatchSettings {
  /** Whether it measures anew, by itself, what it suspects. */
  readonly confirm: boolean;
  /** Of each measurement. */
  readonly confirmationsPerDay: number;
  /** Who is told of regressions, where that is not left to Prometheus. Paths are absolute. */
  readonly webhook?: WebhookAddress;
}

/** One of `url` and `urlFile` is there. */
export interface WebhookAddress {
  readonly url?: string;
  /** Holds the address, where that is a secret itself. */
  readonly urlFile?: string;
  /** Holds what is sent as a bearer token. */
  readonly tokenFile?: string;
  /** Certificates of authorities to trust instead of the system's. */
  readonly caFile?: string;
  /** Under which people reach the page of the daemon. */
  readonly externalUrl?: string;
}

export const WATCH_DEFAULTS: WatchSettings = { confirm: true, confirmationsPerDay: 4 };

export const WatchSettingsSchema = Type.Object(
  {
    confirm: Type.Optional(
      Type.Boolean({
        description: 'whether a latency that is suspected is measured anew at once; true unless given',
      }),
    ),
    confirmationsPerDay: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'how often at most within 24 hours, each measurement; 4 unless given',
      }),
    ),
    webhook: Type.Optional(
      Type.Object(
        {
          url: Type.Optional(Type.String({ description: 'where alerts are sent; it is shown to readers' })),
          urlFile: Type.Optional(
            Type.String({
              minLength: 1,
              description: 'a file that holds the address, where that is a secret',
            }),
          ),
          tokenFile: Type.Optional(
            Type.String({ minLength: 1, description: 'a file that holds what is sent as a bearer token' }),
          ),
          caFile: Type.Optional(
            Type.String({
              minLength: 1,
              description: "certificates of authorities to trust instead of the system's, in PEM",
            }),
          ),
          externalUrl: Type.Optional(
            Type.String({ description: 'under which people reach the page of this daemon' }),
          ),
        },
        {
          additionalProperties: false,
          description:
            "who is told of regressions, in Alertmanager's form; paths are absolute or relative to this file",
        },
      ),
    ),
  },
  { additionalProperties: false, description: 'what to do about what is watched from run to run' },
);

type Source = Type.Static<typeof WatchSettingsSchema>;

/**
 * Fills in the defaults. The problem names the field.
 * @param fromFile makes a path absolute
 */
export function watchSettings(
  source: Source | undefined,
  fromFile: (path: string) => string,
): Result<WatchSettings, Problem<'invalid-value'>> {
  const { webhook, ...given } = source ?? {};
  const settings = { ...WATCH_DEFAULTS, ...given };
  if (webhook === undefined) return ok(settings);
  const wrong = mistakeIn(webhook);
  if (wrong !== undefined) return err(wrong);
  const { url, urlFile, tokenFile, caFile, externalUrl } = webhook;
  const files = Object.entries({ urlFile, tokenFile, caFile }).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, fromFile(path)] as const],
  );
  return ok({
    ...settings,
    webhook: {
      ...(url === undefined ? {} : { url }),
      ...Object.fromEntries(files),
      ...(externalUrl === undefined ? {} : { externalUrl }),
    },
  });
}

function mistakeIn(webhook: NonNullable<Source['webhook']>): Problem<'invalid-value'> | undefined {
  const { url, urlFile, tokenFile, externalUrl } = webhook;
  const at = (field: string, message: string, hint: string) =>
    problem('invalid-value', message, { place: { field: `/watch/webhook${field}` }, hint });
  if ((url === undefined) === (urlFile === undefined)) {
    return at(
      '',
      '"webhook" needs one of "url" and "urlFile"',
      'an address that is a secret belongs in a file',
    );
  }
  if (externalUrl !== undefined && webUrl(externalUrl) === undefined)
    return at('/externalUrl', '"externalUrl" is no http or https address', 'such as https://gpu-host-1:9477');
  if (url === undefined) return undefined;
  const parsed = webUrl(url);
  // The value is not repeated: whoever wrote it wrong may have put a secret into it.
  if (parsed === undefined)
    return at('/url', '"url" is no http or https address', 'such as https://alerts.example/hook');
  if (parsed.username !== '' || parsed.password !== '')
    return at(
      '/url',
      '"url" holds a password, and readers of the settings would see it',
      'use "tokenFile" or "urlFile"',
    );
  if (tokenFile !== undefined && parsed.protocol === 'http:' && !isLoopback(parsed.hostname))
    return at('/url', 'the token would cross the network unencrypted', 'use an https address');
  return undefined;
}

function webUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
