import { ProblemError, problem } from '../core/problem.ts';
import { nodeLabel } from '../onnx/make-node.ts';
import { readModel } from '../onnx/model-file.ts';
import { walkGraphs } from '../onnx/traversal.ts';
import { openSession, type SessionProblem } from '../runtime/session.ts';

/** The domains whose operators ONNX Runtime has on board. */
const RUNTIME_DOMAINS =
  /^(|ai\.onnx(\.ml|\.training|\.preview\.training)?|com\.microsoft(\..*)?|com\.ms\..*)$/;

/**
 * Throws for a model that the runtime does not load as it came, naming the first node of a domain that the runtime does
 * not know, as that is the usual reason. For when something made of the model was rejected.
 */
export async function requireLoadable(path: string, threads: number): Promise<void> {
  const session = await openSession(path, { intraOpThreads: threads });
  if (!session.ok) throw new ProblemError(explained(session.error, path));
  await session.value.close();
}

function explained(rejection: SessionProblem, path: string): SessionProblem {
  const found = foreignNode(path);
  if (found === undefined) return rejection;
  return problem(rejection.kind, rejection.message, {
    place: { ...rejection.place, node: found.node },
    hint: `the operator comes from the domain ${found.domain}, which ONNX Runtime does not have`,
  });
}

function foreignNode(path: string): { readonly node: string; readonly domain: string } | undefined {
  const model = readModel(path);
  const graph = model.ok ? model.value.proto.graph : undefined;
  if (!model.ok || graph === undefined) return undefined;
  const functions = new Set(model.value.proto.functions.map(({ domain, name }) => `${domain}::${name}`));
  let found: { node: string; domain: string } | undefined;
  walkGraphs(graph, ({ node: nodes }) => {
    for (const node of nodes) {
      const { domain = '', opType } = node;
      if (RUNTIME_DOMAINS.test(domain) || functions.has(`${domain}::${opType}`)) continue;
      found ??= { node: nodeLabel(node), domain };
    }
  });
  return found;
}
