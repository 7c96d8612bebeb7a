import { dirname, resolve } from 'node:path';
import Type from 'typebox';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { parseDurationSeconds } from './duration.ts';
import { readSettingsFile } from './read-settings-file.ts';
import { byPlace, type SchemaProblemKind } from './schema-problems.ts';
import type { YamlDocument, YamlProblemKind } from './yaml-document.ts';

/** Who may ask the daemon, and over what. Paths are absolute. */
export interface WebConfig {
  readonly tls?: TlsConfig;
  /** By name: hashes of bcrypt. With any, all routes but the probes need a user or the token. */
  readonly users: ReadonlyMap<string, string>;
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rateLimit?: RateLimit;
}

export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  /** As Go names them; see `CLIENT_AUTH`. */
  readonly clientAuth: ClientAuth;
  readonly clientCaFile?: string;
  /** Names of which a client's certificate must have one; any where empty. */
  readonly clientAllowedSans: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
}

/** A request every `intervalMs`, and `burst` of them at once after a pause. */
export interface RateLimit {
  readonly intervalMs: number;
  readonly burst: number;
}

export type ClientAuth = (typeof CLIENT_AUTH)[number];
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export type WebConfigProblem = Problem<YamlProblemKind | SchemaProblemKind | 'web-config-not-found'>;

const CLIENT_AUTH = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
/** Older versions are broken, and the runtime does not speak them. */
const VERSIONS = { TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
const HEADERS = [
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
  'X-XSS-Protection',
  'Content-Security-Policy',
] as const;
const BCRYPT_HASH = /^\$2[abxy]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}$/;

const closed = { additionalProperties: false } as const;
const Version = Type.Optional(Type.Enum(['TLS12', 'TLS13']));

/** The file of Prometheus' exporter-toolkit, so that one file serves all exporters of a host. Source: its docs/web-configuration.md. */
const WebConfigSchema = Type.Object(
  {
    tls_server_config: Type.Optional(
      Type.Object(
        {
          cert_file: Type.String({ minLength: 1, description: 'a file with the certificate (PEM)' }),
          key_file: Type.String({ minLength: 1, description: 'a file with its private key (PEM)' }),
          client_auth_type: Type.Optional(Type.Enum([...CLIENT_AUTH])),
          client_ca_file: Type.Optional(Type.String({ minLength: 1 })),
          client_allowed_sans: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
          min_version: Version,
          max_version: Version,
        },
        closed,
      ),
    ),
    http_server_config: Type.Optional(
      Type.Object(
        {
          http2: Type.Optional(Type.Boolean()),
          headers: Type.Optional(
            Type.Object(
              Object.fromEntries(HEADERS.map((name) => [name, Type.Optional(Type.String())])),
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
    // The form of hashes is checked apart, as messages of the schema would tell a password that stands in their place.
    basic_auth_users: Type.Optional(
      Type.Record(Type.String({ pattern: '^[^:\\u0000-\\u001f]+$' }), Type.String()),
    ),
    rate_limit: Type.Optional(
      Type.Object(
        {
          interval: Type.String({ description: 'the time to one more request, such as 10ms' }),
          burst: Type.Optional(Type.Integer({ minimum: 1 })),
        },
        closed,
      ),
    ),
  },
  { ...closed, description: 'who may use the web endpoints of ptq-agent serve' },
);

type WebConfigSource = Type.Static<typeof WebConfigSchema>;

/**
 * Reads a web configuration file. All problems are reported at once, with line, column and field:
 * `web-config-not-found`, and those of YAML and the schema. The files that it names are not read.
 */
export async function loadWebConfig(file: string): Promise<Result<WebConfig, readonly WebConfigProblem[]>> {
  const read = await readSettingsFile(file, WebConfigSchema, {
    kind: 'web-config-not-found',
    what: 'web configuration',
    option: '--web-config',
  });
  if (!read.ok) return read;
  const { source, document } = read.value;
  const broken = brokenRules(source, document);
  return broken.length > 0 ? err([...broken].sort(byPlace)) : ok(resolveConfig(source, dirname(file)));
}

function resolveConfig(source: WebConfigSource, folder: string): WebConfig {
  const { tls_server_config: tls, http_server_config: http, rate_limit: limit } = source;
  const intervalSeconds = parseDurationSeconds(limit?.interval ?? '') ?? 0;
  return {
    users: new Map(Object.entries(source.basic_auth_users ?? {})),
    headers: (http?.headers ?? {}) as Readonly<Record<string, string>>,
    ...(intervalSeconds === 0
      ? {}
      : { rateLimit: { intervalMs: intervalSeconds * 1e3, burst: limit?.burst ?? 1 } }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            certFile: resolve(folder, tls.cert_file),
            keyFile: resolve(folder, tls.key_file),
            clientAuth: tls.client_auth_type ?? 'NoClientCert',
            ...(tls.client_ca_file === undefined
              ? {}
              : { clientCaFile: resolve(folder, tls.client_ca_file) }),
            clientAllowedSans: tls.client_allowed_sans ?? [],
            minVersion: VERSIONS[tls.min_version ?? 'TLS12'],
            maxVersion: VERSIONS[tls.max_version ?? 'TLS13'],
          },
        }),
  };
}

/** What the schema cannot say. */
function brokenRules(source: WebConfigSource, document: YamlDocument): readonly Problem<'invalid-value'>[] {
  const found: Problem<'invalid-value'>[] = [];
  const report = (field: string, message: string, hint: string): void => {
    found.push(problem('invalid-value', message, { place: document.placeOf(field, 'value'), hint }));
  };
  const { tls_server_config: tls, rate_limit: limit } = source;
  if (limit !== undefined && parseDurationSeconds(limit.interval) === undefined) {
    report(
      '/rate_limit/interval',
      `"interval" is "${limit.interval}", which is no duration`,
      'write 10ms or 1s',
    );
  }
  for (const [name, hash] of Object.entries(source.basic_auth_users ?? {})) {
    if (BCRYPT_HASH.test(hash)) continue;
    report(
      `/basic_auth_users/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      `what stands for the password of "${name}" is no hash of bcrypt`,
      'make one with: htpasswd -nB -C 10 NAME',
    );
  }
  if (tls === undefined) return found;
  const verifies = tls.client_auth_type?.includes('Verify') === true;
  if (verifies && tls.client_ca_file === undefined) {
    report(
      '/tls_server_config/client_auth_type',
      `${tls.client_auth_type} needs "client_ca_file"`,
      'name the file with the certificates of the authorities that sign those of clients',
    );
  }
  if (!verifies && (tls.client_allowed_sans ?? []).length > 0) {
    report(
      '/tls_server_config/client_allowed_sans',
      'names of clients mean nothing where their certificates are not verified',
      'set "client_auth_type" to RequireAndVerifyClientCert',
    );
  }
  if (tls.min_version === 'TLS13' && tls.max_version === 'TLS12') {
    report('/tls_server_config/max_version', '"max_version" is below "min_version"', 'leave one of them out');
  }
  return found;
}
