import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { parseYaml } from '../../config/yaml-document.ts';
import { attempt, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';

/** How the API server of a cluster is reached. */
export interface KubeAccess {
  readonly server: URL;
  /** Where nothing else is asked for. */
  readonly namespace: string;
  readonly token?: string;
  /** PEM, of the authority that the server's certificate is of. */
  readonly ca?: string;
  /** PEM of a client's certificate and its key. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** Where every pod finds what it may show to the API server. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

const text = Type.Optional(Type.String());

/** The parts of a kubeconfig that are read: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
const KubeconfigSchema = Type.Object({
  'current-context': text,
  contexts: Type.Array(
    Type.Object({
      name: Type.String(),
      context: Type.Object({ cluster: Type.String(), user: text, namespace: text }),
    }),
  ),
  clusters: Type.Array(
    Type.Object({
      name: Type.String(),
      cluster: Type.Object({
        server: Type.String(),
        'certificate-authority': text,
        'certificate-authority-data': text,
      }),
    }),
  ),
  users: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        user: Type.Object({
          token: text,
          tokenFile: text,
          'client-certificate': text,
          'client-certificate-data': text,
          'client-key': text,
          'client-key-data': text,
          exec: Type.Optional(Type.Object({})),
        }),
      }),
    ),
  ),
});

type Kubeconfig = Type.Static<typeof KubeconfigSchema>;

const PROXY_HINT = 'run `kubectl proxy` and name it with --kubernetes-api http://127.0.0.1:8001';

/**
 * How to reach the cluster: a given address as it is (`kubectl proxy`), the service account of a pod, or the current context of a kubeconfig
 * ($KUBECONFIG, ~/.kube/config) with a token or a client's certificate. Problems: `kubeconfig-unreadable`, `kubeconfig-malformed`,
 * `kubeconfig-unsupported` for programs that make credentials.
 */
export function kubeAccess(
  api: URL | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Result<KubeAccess, Problem> {
  return attempt(() => {
    if (api !== undefined) return { server: api, namespace: 'default' };
    const host = env['KUBERNETES_SERVICE_HOST'];
    return host !== undefined && env['KUBECONFIG'] === undefined
      ? accessOfPod(host, env['KUBERNETES_SERVICE_PORT'] ?? '443')
      : accessOfFile(env['KUBECONFIG'] ?? join(env['HOME'] ?? homedir(), '.kube/config'));
  });
}

function accessOfPod(host: string, port: string): KubeAccess {
  const read = (name: string) => readText(join(SERVICE_ACCOUNT, name));
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    server: new URL(`https://${name}:${port}`),
    namespace: read('namespace').trim(),
    token: read('token').trim(),
    ca: read('ca.crt'),
  };
}

function accessOfFile(file: string): KubeAccess {
  const config = readKubeconfig(file);
  const wanted = config['current-context'];
  const context = config.contexts.find(({ name }) => name === wanted)?.context;
  if (context === undefined) throw malformed(file, `the current context '${wanted ?? ''}' is not in it`);
  const cluster = config.clusters.find(({ name }) => name === context.cluster)?.cluster;
  if (cluster === undefined) throw malformed(file, `the cluster '${context.cluster}' is not in it`);
  if (!URL.canParse(cluster.server)) throw malformed(file, `'${cluster.server}' is no URL of a server`);
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {};
  const pem = (path: string | undefined, data: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return path === undefined ? undefined : readText(resolve(dirname(file), path));
  };
  const token = user.token ?? pem(user.tokenFile, undefined)?.trim();
  const cert = pem(user['client-certificate'], user['client-certificate-data']);
  const key = pem(user['client-key'], user['client-key-data']);
  const ca = pem(cluster['certificate-authority'], cluster['certificate-authority-data']);
  if (user.exec !== undefined && token === undefined && cert === undefined) {
    throw new ProblemError(
      problem('kubeconfig-unsupported', `the user '${context.user}' has a program make its credentials`, {
        place: { file },
        hint: PROXY_HINT,
      }),
    );
  }
  return {
    server: new URL(cluster.server),
    namespace: context.namespace ?? 'default',
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { client: { cert, key } }),
  };
}

function readKubeconfig(file: string): Kubeconfig {
  const parsed = parseYaml(readText(file), file);
  if (!parsed.ok) throw malformed(file, parsed.error[0]?.message ?? 'it is not valid YAML');
  const { value } = parsed.value;
  if (!Check(KubeconfigSchema, value)) throw malformed(file, 'contexts, clusters or users are missing');
  return value;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ProblemError(
      problem('kubeconfig-unreadable', `what it takes to ask Kubernetes cannot be read (${reason})`, {
        place: { file },
        hint: `set KUBECONFIG, or ${PROXY_HINT}`,
      }),
    );
  }
}

function malformed(file: string, found: string): ProblemError {
  return new ProblemError(
    problem('kubeconfig-malformed', `this is no kubeconfig that can be used: ${found}`, {
      place: { file },
      hint: `set KUBECONFIG to another file, or ${PROXY_HINT}`,
    }),
  );
}
