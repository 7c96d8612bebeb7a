import type { OnnxModel } from '../model-file.ts';
import { createNameScope } from '../name-scope.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Gives every node of the top-level graph a name that no other node has, so that reports and audits can point at it.
 * A node keeps its name if it is the first to have it. Counts nodes named anew. Changes `model` in place.
 */
export function nameNodes(model: OnnxModel): PassResult {
  const { graph } = model.proto;
  if (graph === undefined) return passResult(0);
  const scope = createNameScope(graph);
  const seen = new Set<string>();
  let count = 0;
  for (const node of graph.node) {
    if (node.name === undefined || node.name === '' || seen.has(node.name)) {
      node.name = scope.fresh(node.name || `${node.opType ?? 'node'}_${node.output[0] ?? ''}`);
      count += 1;
    }
    seen.add(node.name);
  }
  return passResult(count);
}
