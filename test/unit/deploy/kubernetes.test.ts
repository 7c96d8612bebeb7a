import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { loadSettings } from '../../../src/config/settings.ts';
import { ALERTS } from '../../support/promtool.ts';
import { unwrap } from '../../support/unwrap.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const FOLDER = join(REPOSITORY, 'deploy/kubernetes');
const RULE_FILE = join(FOLDER, 'monitoring/prometheus-rule.yaml');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  // Each kind has its own, which a test that looks at it knows.
  readonly spec?: unknown;
}

interface Pod {
  readonly securityContext: object;
  readonly volumes: readonly { readonly name: string }[];
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
}

interface Container {
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: { readonly capabilities: object };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly livenessProbe?: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe?: { readonly httpGet: { readonly path: string } };
}

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => join(folder, file));

const firstDocument = (file: string): unknown => parse(readFileSync(file, 'utf8'));

/** Manifests of Kubernetes; what kustomize and the daemon read is none. */
const manifests: readonly Manifest[] = filesBelow(FOLDER).flatMap((file) =>
  parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS() as Manifest)
    .filter(({ apiVersion = 'kustomize' }) => !apiVersion.startsWith('kustomize')),
);

const only = (kind: string) => manifests.find((manifest) => manifest.kind === kind) as Manifest;
const daemonSet = only('DaemonSet').spec as {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: { readonly metadata: { readonly labels: object }; readonly spec: Pod };
};
const pod = daemonSet.template.spec;

/** A Python that knows the schemas of Kubernetes. */
const python = process.env['PTQ_PEER_PYTHON'];
const hasSchemas =
  python !== undefined && spawnSync(python, ['-c', 'import kubernetes_validate']).status === 0;
const VALIDATE = `
import json, sys, kubernetes_validate
for manifest in json.load(sys.stdin):
    try:
        kubernetes_validate.validate(manifest, '1.33', strict=True)
    except kubernetes_validate.ValidationError as error:
        print(manifest['kind'], manifest['metadata']['name'], list(error.path), error.message)
`;

describe('deploy/kubernetes', () => {
  it.skipIf(!hasSchemas)(
    'keeps to the schemas of Kubernetes (needs PTQ_PEER_PYTHON with kubernetes-validate)',
    () => {
      // Resources of the Prometheus operator have schemas of their own.
      const known = manifests.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com'));
      expect(known.map(({ kind }) => kind)).toContain('DaemonSet');
      const validate = (of: readonly unknown[]) =>
        spawnSync(python ?? '', ['-c', VALIDATE], { input: JSON.stringify(of), encoding: 'utf8' });
      expect(validate(known)).toMatchObject({ status: 0, stdout: '' });
      const wrong = { ...only('Service'), spec: { clusterIp: 'None' } };
      expect(validate([wrong]).stdout).toMatch(/^Service ptq-agent .*clusterIp/);
    },
    120_000,
  );

  it('has kustomizations that name files that are there', () => {
    for (const file of [...filesBelow(FOLDER), join(REPOSITORY, 'dashboards/kustomization.yaml')]) {
      if (!file.endsWith('kustomization.yaml')) continue;
      const {
        resources = [],
        components = [],
        configMapGenerator = [],
      } = firstDocument(file) as {
        readonly resources?: readonly string[];
        readonly components?: readonly string[];
        readonly configMapGenerator?: readonly { readonly files: readonly string[] }[];
      };
      const named = [...resources, ...components, ...configMapGenerator.flatMap(({ files }) => files)];
      for (const name of named)
        expect(existsSync(resolve(dirname(file), name)), `${relative(REPOSITORY, file)}: ${name}`).toBe(true);
    }
  });

  it('gives the daemon settings that it takes', async () => {
    const settings = unwrap(await loadSettings(join(FOLDER, 'base/agent.yaml')));
    const [agent] = pod.containers;
    expect(agent?.args).toEqual(['serve', '--config', '/etc/ptq-agent/settings/agent.yaml']);
    expect(agent?.ports).toEqual([{ name: 'http', containerPort: settings.listen.port }]);
    const mounts = new Map(agent?.volumeMounts.map((mount) => [mount.mountPath, mount]));
    expect(mounts.get(settings.dataDir)?.readOnly).toBeUndefined();
    expect(mounts.get(settings.profilesDir)?.readOnly).toBe(true);
    expect(mounts.get(dirname(settings.tokenFile))?.readOnly).toBe(true);
    expect(settings.roots.some((root) => mounts.has(root))).toBe(true);
  });

  it('mounts volumes that the pod has, and all of them', () => {
    const mounted = [...pod.initContainers, ...pod.containers].flatMap(({ volumeMounts }) =>
      volumeMounts.map(({ name }) => name),
    );
    expect([...new Set(mounted)].sort()).toEqual(pod.volumes.map(({ name }) => name).sort());
  });

  it('runs the daemon without root and without rights', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.containers.map(({ securityContext }) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
  });

  it('asks the daemon how it is where it answers without a credential', () => {
    const [agent] = pod.containers;
    expect(agent?.livenessProbe?.httpGet.path).toBe('/-/healthy');
    expect(agent?.readinessProbe?.httpGet.path).toBe('/-/ready');
  });

  it('selects the same pods everywhere', () => {
    const labels = daemonSet.template.metadata.labels;
    expect(daemonSet.selector.matchLabels).toEqual(labels);
    expect(only('Service').spec).toMatchObject({ selector: labels });
    expect(only('NetworkPolicy').spec).toMatchObject({ podSelector: { matchLabels: labels }, egress: [] });
    expect(only('PodMonitor').spec).toMatchObject({
      selector: { matchLabels: labels },
      podMetricsEndpoints: [{ port: 'http' }],
    });
  });

  it('has the rules of dashboards/alerts (UPDATE_GOLDEN=1 writes them)', () => {
    const groups = readdirSync(ALERTS)
      .toSorted()
      .flatMap((file) => {
        const rules = firstDocument(join(ALERTS, file)) as { readonly groups: readonly object[] };
        return rules.groups;
      });
    const rule = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'ptq-agent', labels: { 'app.kubernetes.io/name': 'ptq-agent' } },
      spec: { groups },
    };
    const note = '# Made of dashboards/alerts: UPDATE_GOLDEN=1 npx vitest run test/unit/deploy\n';
    const made = note + stringify(rule, { lineWidth: 0 });
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(RULE_FILE, made);
    expect(readFileSync(RULE_FILE, 'utf8')).toBe(made);
  });

  it.skipIf(spawnSync('kustomize', ['version']).error !== undefined)(
    'builds, with GPUs and monitoring (needs kustomize)',
    () => {
      const built = spawnSync('kustomize', ['build', join(FOLDER, 'example')], { encoding: 'utf8' });
      expect(built.stderr).toBe('');
      const kinds = parseAllDocuments(built.stdout).map((document) => (document.toJS() as Manifest).kind);
      expect(kinds.filter((kind) => kind === 'ConfigMap')).toHaveLength(6);
      expect(kinds).toEqual(
        expect.arrayContaining(['DaemonSet', 'PodMonitor', 'PrometheusRule', 'Namespace']),
      );
      expect(built.stdout).toContain('runtimeClassName: nvidia');
    },
  );
});
