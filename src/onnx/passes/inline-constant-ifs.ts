import { findAttribute } from '../attributes.ts';
import { allowFreeInitializers } from '../free-initializers.ts';
import { isDefaultDomain, makeNode, nodeLabel } from '../make-node.ts';
import { DATA_TYPE, type GraphProto, type NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { createNameScope } from '../name-scope.ts';
import { definedIn, renameTensors } from '../rename-tensors.ts';
import { readTensorData } from '../tensor-data.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Puts the nodes of the branch that is always taken in the place of an If whose condition is an initializer. Names that
 * the graph has already are made anew; nodes and constants keep theirs otherwise. Works on the top-level graph and on
 * what comes up into it. Counts If nodes. Changes the model in place.
 */
export function inlineConstantIfs(model: OnnxModel): PassResult {
  const { graph } = model.proto;
  if (graph === undefined) return passResult(0);
  let count = 0;
  for (let taken = findConstantIf(model, graph); taken; taken = findConstantIf(model, graph)) {
    inlineBranch(graph, taken.node, taken.branch);
    count += 1;
  }
  if (count > 0) allowFreeInitializers(model.proto);
  return passResult(count);
}

interface TakenBranch {
  readonly node: NodeProto;
  readonly branch: GraphProto;
}

function findConstantIf(model: OnnxModel, graph: GraphProto): TakenBranch | undefined {
  const inputs = new Set(graph.input.map(({ name }) => name));
  for (const node of graph.node) {
    if (node.opType !== 'If' || !isDefaultDomain(node.domain) || inputs.has(node.input[0])) continue;
    const condition = graph.initializer.find(({ name }) => name === node.input[0]);
    if (condition?.dataType !== DATA_TYPE.bool) continue;
    const value = readTensorData(model, condition);
    if (!value.ok || value.value.length !== 1) continue;
    const branch = findAttribute(node, value.value[0] ? 'then_branch' : 'else_branch')?.g;
    if (branch?.output.length === node.output.length) return { node, branch };
  }
  return undefined;
}

function inlineBranch(graph: GraphProto, node: NodeProto, branch: GraphProto): void {
  const at = graph.node.indexOf(node);
  graph.node.splice(at, 1);
  const tensorNames = createNameScope(graph);
  // A node may be named like a tensor, so that each kind has a scope of its own.
  const nodeNames = createNameScope(graph);
  // The outputs have no maker for a moment, and nothing else may take their names.
  for (const name of node.output) tensorNames.fresh(name);

  const { names, copied } = namesOfOutputs(node, branch);
  for (const name of definedIn(branch)) if (!names.has(name)) names.set(name, tensorNames.fresh(name));
  for (const inner of branch.node) if (inner.name) inner.name = nodeNames.fresh(inner.name);
  const copies = copied.map(({ from, to }) => {
    const name = nodeNames.fresh(`${nodeLabel(node)}_${to}`);
    return makeNode('Identity', { name, input: [names.get(from) ?? from], output: [to] });
  });
  renameTensors(branch.node, names);
  for (const tensor of [...branch.initializer, ...branch.sparseInitializer.map(({ values }) => values)]) {
    if (tensor !== undefined) tensor.name = names.get(tensor.name ?? '') ?? '';
  }
  const declared = new Set([...graph.valueInfo, ...graph.output].map(({ name }) => name));
  for (const value of branch.valueInfo) {
    value.name = names.get(value.name ?? '') ?? value.name;
    if (!declared.has(value.name)) graph.valueInfo.push(value);
  }
  graph.node.splice(at, 0, ...branch.node, ...copies);
  graph.initializer.push(...branch.initializer);
  graph.sparseInitializer.push(...branch.sparseInitializer);
}

/**
 * What a branch gives out takes the name of the If's output. What no node of the branch makes, and what is given out a
 * second time, has to be copied.
 */
function namesOfOutputs(node: NodeProto, branch: GraphProto) {
  const produced = new Set(branch.node.flatMap(({ output }) => output));
  const names = new Map<string, string>();
  const copied: { readonly from: string; readonly to: string }[] = [];
  branch.output.forEach(({ name = '' }, index) => {
    const output = node.output[index] ?? '';
    if (output === '') return;
    if (produced.has(name) && !names.has(name)) names.set(name, output);
    else copied.push({ from: name, to: output });
  });
  return { names, copied };
}
