import { cloneMessage } from '../clone-message.ts';
import { isDefaultDomain, makeNode, nodeLabel } from '../make-node.ts';
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { createNameScope, type NameScope } from '../name-scope.ts';
import { definedIn, renameTensors } from '../rename-tensors.ts';
import { subgraphsOf } from '../subgraphs.ts';
import { type PassResult, passResult } from './pass-result.ts';

export interface InlineFunctionsResult extends PassResult {
  /** Functions that are still called, as `domain.name`: their operators are of other opsets than those of the model. */
  readonly left: readonly string[];
}

/**
 * Puts the nodes of model-local functions in the place of their calls, in the top-level graph, in bodies and in other
 * functions, and removes functions that nothing calls any more. Tensors and nodes of a function are named after the
 * call. A function stays when the opsets of its operators are not those of the model. Counts calls. Changes the model
 * in place.
 * Source: FunctionProto and AttributeProto.ref_attr_name in onnx/onnx.proto.
 */
export function inlineFunctions({ proto }: OnnxModel): InlineFunctionsResult {
  const { graph } = proto;
  if (graph === undefined || proto.functions.length === 0) return { ...passResult(0), left: [] };
  const inliner: Inliner = {
    functions: new Map(proto.functions.map((fn) => [keyOf(fn.domain, fn.name, fn.overload), fn])),
    canInline: (fn) => agreesOnOpsets(proto, fn),
    names: createNameScope(graph),
    nodeNames: createNameScope(graph),
    count: 0,
  };
  graph.node = inlineIn(graph.node, inliner, []);
  const left = calledFunctions(graph, inliner.functions);
  const removed = proto.functions.length - left.size;
  proto.functions = proto.functions.filter((fn) => left.has(fn));
  return {
    modified: inliner.count + removed > 0,
    count: inliner.count,
    left: [...left].map(({ domain, name }) => [domain, name].filter(Boolean).join('.')),
  };
}

interface Inliner {
  readonly functions: ReadonlyMap<string, FunctionProto>;
  /** Called only for functions that a node calls: it may add imports to the model. */
  canInline(fn: FunctionProto): boolean;
  readonly names: NameScope;
  readonly nodeNames: NameScope;
  count: number;
}

function keyOf(domain: string | undefined, name: string | undefined, overload: string | undefined): string {
  return [isDefaultDomain(domain) ? '' : domain, name, overload ?? ''].join('\n');
}

function functionOf(
  node: NodeProto,
  functions: ReadonlyMap<string, FunctionProto>,
): FunctionProto | undefined {
  return functions.get(keyOf(node.domain, node.opType, node.overload));
}

/** @param callers functions around these nodes: a function that calls itself is not valid, and stays as it is */
function inlineIn(
  nodes: readonly NodeProto[],
  inliner: Inliner,
  callers: readonly FunctionProto[],
): NodeProto[] {
  return nodes.flatMap((node) => {
    for (const body of subgraphsOf(node)) body.node = inlineIn(body.node, inliner, callers);
    const fn = functionOf(node, inliner.functions);
    if (fn === undefined || callers.includes(fn) || !inliner.canInline(fn)) return [node];
    inliner.count += 1;
    return inlineIn(expandCall(node, fn, inliner), inliner, [...callers, fn]);
  });
}

function expandCall(call: NodeProto, fn: FunctionProto, { names, nodeNames }: Inliner): NodeProto[] {
  const label = nodeLabel(call);
  const nodes = cloneMessage(fn.node);
  const actual = new Map<string, string>();
  fn.input.forEach((formal, index) => {
    actual.set(formal, call.input[index] ?? '');
  });
  const copies: NodeProto[] = [];
  fn.output.forEach((formal, index) => {
    const output = call.output[index] ?? '';
    if (output === '') return;
    if (!actual.has(formal)) actual.set(formal, output);
    else {
      // The function gives out what it takes in, or one tensor twice.
      const name = nodeNames.fresh(`${label}_${formal}`);
      copies.push(makeNode('Identity', { name, input: [actual.get(formal) ?? ''], output: [output] }));
    }
  });
  const fresh = (name: string) => names.fresh(`${label}_${name}`);
  for (const name of nodes.flatMap(({ output }) => output)) {
    if (name !== '' && !actual.has(name)) actual.set(name, fresh(name));
  }
  for (const node of nodes) for (const body of subgraphsOf(node)) renameOwn(body, fresh);
  renameTensors(nodes, actual);
  const given = new Map([...fn.attributeProto, ...call.attribute].map((entry) => [entry.name ?? '', entry]));
  resolveAttributes(nodes, given);
  for (const node of nodes) node.name = nodeNames.fresh(`${label}_${node.name || node.opType}`);
  return [...nodes, ...copies];
}

/** Names what a body of a function defines anew: the function may be called twice, and in a graph with such names. */
function renameOwn(body: GraphProto, fresh: (name: string) => string): void {
  const names = new Map([...definedIn(body)].map((name) => [name, fresh(name)]));
  renameTensors(body.node, names);
  for (const declared of [...body.input, ...body.output, ...body.initializer, ...body.valueInfo]) {
    declared.name = names.get(declared.name ?? '') ?? declared.name;
  }
  for (const { values } of body.sparseInitializer) {
    if (values !== undefined) values.name = names.get(values.name ?? '') ?? values.name;
  }
  for (const node of body.node) for (const inner of subgraphsOf(node)) renameOwn(inner, fresh);
}

/** Puts the attributes of a call, or their defaults, where nodes refer to them. Without one, there is no attribute. */
function resolveAttributes(nodes: readonly NodeProto[], given: ReadonlyMap<string, AttributeProto>): void {
  for (const node of nodes) {
    // First the bodies of the function itself: one that the call hands in refers to nothing here.
    for (const body of subgraphsOf(node)) resolveAttributes(body.node, given);
    node.attribute = node.attribute.flatMap((attribute) => {
      if (!attribute.refAttrName) return [attribute];
      const value = given.get(attribute.refAttrName);
      return value === undefined ? [] : [{ ...cloneMessage(value), name: attribute.name }];
    });
  }
}

/** Whether the operators of a function mean the same in the model, which gets the imports that it lacks. */
function agreesOnOpsets(proto: ModelProto, fn: FunctionProto): boolean {
  const domains = new Set<string>();
  collectDomains(fn.node, domains);
  const used = fn.opsetImport.filter(({ domain }) => domains.has(domainKey(domain)));
  const missing = used.filter((entry) => {
    return !proto.opsetImport.some(({ domain }) => domainKey(domain) === domainKey(entry.domain));
  });
  const agree = used.every((entry) =>
    proto.opsetImport.every(
      ({ domain, version }) => domainKey(domain) !== domainKey(entry.domain) || version === entry.version,
    ),
  );
  if (agree) proto.opsetImport.push(...missing.map((entry) => ({ ...entry })));
  return agree;
}

function domainKey(domain: string | undefined): string {
  return isDefaultDomain(domain) ? '' : (domain ?? '');
}

function collectDomains(nodes: readonly NodeProto[], into: Set<string>): void {
  for (const node of nodes) {
    into.add(domainKey(node.domain));
    for (const body of subgraphsOf(node)) collectDomains(body.node, into);
  }
}

/** Functions that the graph calls, directly or through others. */
function calledFunctions(
  graph: GraphProto,
  functions: ReadonlyMap<string, FunctionProto>,
): ReadonlySet<FunctionProto> {
  const called = new Set<FunctionProto>();
  const visit = (nodes: readonly NodeProto[]) => {
    for (const node of nodes) {
      for (const body of subgraphsOf(node)) visit(body.node);
      const fn = functionOf(node, functions);
      if (fn === undefined || called.has(fn)) continue;
      called.add(fn);
      visit(fn.node);
    }
  };
  visit(graph.node);
  return called;
}
