import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import Type from 'typebox';
import { Check } from 'typebox/value';
import type { Problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type Target, targetOf } from '../target.ts';
import { malformed, parseJson, refused, unreachable } from './ask-source.ts';
import type { KubeAccess } from './kube-access.ts';

const WHAT = 'the API server of Kubernetes';
/** Where agents listen unless told otherwise. */
const DEFAULT_PORT = 9477;
const PODS_OF_A_PAGE = 500;
const MOST_PAGES = 200;

const text = Type.Optional(Type.String());

/** A list of pods, as far as it is read: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
const PodListSchema = Type.Object({
  metadata: Type.Optional(Type.Object({ continue: text })),
  items: Type.Array(
    Type.Object({
      metadata: Type.Object({ name: Type.String(), namespace: text, deletionTimestamp: text }),
      spec: Type.Object({
        nodeName: text,
        containers: Type.Array(
          Type.Object({
            ports: Type.Optional(Type.Array(Type.Object({ name: text, containerPort: Type.Integer() }))),
          }),
        ),
      }),
      status: Type.Object({ phase: text, podIP: text, message: text, reason: text }),
    }),
  ),
});

type PodList = Type.Static<typeof PodListSchema>;
type Pod = PodList['items'][number];

export interface PodQuery {
  /** Of labels, such as `app.kubernetes.io/name=ptq-agent`. */
  readonly selector: string;
  /** `*` for all of them; that of the access unless given. */
  readonly namespace?: string;
  readonly timeoutMs: number;
}

/**
 * The agents that run as pods, each by the name of its node. One that has no address yet is in the list with what Kubernetes says of it.
 * Problems: `discovery-unreachable`, `discovery-refused`, `discovery-malformed`.
 */
export async function readKubernetesPods(
  access: KubeAccess,
  { selector, namespace = access.namespace, timeoutMs }: PodQuery,
  scheme: 'http' | 'https',
): Promise<Result<readonly Target[], readonly Problem[]>> {
  const of = namespace === '*' ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
  const base = access.server.href.endsWith('/') ? access.server.href : `${access.server.href}/`;
  const pods: Pod[] = [];
  let cursor = '';
  for (let page = 0; page < MOST_PAGES; page++) {
    const url = new URL(`api/v1/${of}pods`, base);
    url.searchParams.set('labelSelector', selector);
    url.searchParams.set('limit', String(PODS_OF_A_PAGE));
    if (cursor !== '') url.searchParams.set('continue', cursor);
    const list = await askForPods(url, access, timeoutMs);
    if (!list.ok) return err([list.error]);
    pods.push(...list.value.items);
    cursor = list.value.metadata?.continue ?? '';
    if (cursor === '') break;
  }
  // One that is about to end is replaced by another of the same node.
  return ok(
    pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((pod) => toTarget(pod, scheme)),
  );
}

function toTarget({ metadata, spec, status }: Pod, scheme: 'http' | 'https'): Target {
  const { nodeName } = spec;
  const labels = {
    pod: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(nodeName === undefined ? {} : { node: nodeName }),
  };
  const name = nodeName ?? metadata.name;
  const ports = spec.containers.flatMap(({ ports: own = [] }) => own);
  const port = ports.find((of) => of.name === 'http')?.containerPort ?? DEFAULT_PORT;
  const { phase = 'Unknown', podIP, reason, message } = status;
  const isUp = podIP !== undefined && podIP !== '' && phase === 'Running';
  if (!isUp) {
    const why = [reason, message].filter((part) => part !== undefined && part !== '').join(', ');
    return { name, url: null, labels, note: `its pod is ${phase}${why === '' ? '' : `: ${why}`}` };
  }
  const address = `${podIP.includes(':') ? `[${podIP}]` : podIP}:${port}`;
  const target = targetOf(address, { ...labels, instance: name }, scheme);
  return target.ok ? target.value : { name, url: null, labels, note: target.error.message };
}

/** Not by `fetch`, which takes neither an authority nor a client's certificate. */
function askForPods(url: URL, access: KubeAccess, timeoutMs: number): Promise<Result<PodList, Problem>> {
  const { token, ca, client } = access;
  return new Promise((resolve) => {
    const fail = (error: unknown) => resolve(err(unreachable(WHAT, url, error, timeoutMs)));
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const asked = send(
      url,
      {
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(ca === undefined ? {} : { ca }),
        ...(client ?? {}),
        signal: AbortSignal.timeout(timeoutMs),
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', fail);
        answer.on('end', () => {
          const { statusCode = 0 } = answer;
          resolve(
            statusCode === 200
              ? podsIn(Buffer.concat(parts).toString('utf8'), url)
              : err(notAllowed(url, statusCode)),
          );
        });
      },
    );
    asked.on('error', fail);
    asked.end();
  });
}

function notAllowed(url: URL, status: number): Problem {
  if (status !== 401 && status !== 403) return refused(WHAT, url, status);
  return {
    ...refused(WHAT, url, status),
    hint: 'its account needs the right to list pods of this namespace',
  };
}

function podsIn(body: string, url: URL): Result<PodList, Problem> {
  const json = parseJson(body, WHAT, url);
  if (!json.ok) return json;
  return Check(PodListSchema, json.value) ? ok(json.value) : err(malformed(WHAT, url, 'no list of pods'));
}
