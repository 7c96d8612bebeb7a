import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Device } from '../core/device.ts';
import { type Problem, ProblemError } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { intsAttribute } from '../onnx/attributes.ts';
import { DATA_TYPE, type GraphProto, type NodeProto, type TensorProto } from '../onnx/messages.ts';
import { readModel } from '../onnx/model-file.ts';
import { subgraphsOf } from '../onnx/subgraphs.ts';
import { openSession } from '../runtime/session.ts';
import type { NodeFacts } from '../trace/op-work.ts';
import type { TypedShape } from '../trace/work/typed-shape.ts';
import { unwrap } from './unwrap.ts';

/** By the name of a node in the graph that the runtime made; undefined for nodes without a name or without facts. */
export type FindNodeFacts = (node: string) => NodeFacts | undefined;

/**
 * Lets the runtime optimize a model as it does to run it, and reads from the graph what a profile does not tell: weights
 * that it packs, and kernels of pooling. Takes as long as loading the model. Errors: those of loading it.
 * @param scratch  a folder for the graph, which is removed again
 */
export async function readNodeFacts(
  modelPath: string,
  { device, scratch }: { readonly device: Device; readonly scratch: string },
): Promise<Result<FindNodeFacts, Problem>> {
  const folder = await mkdtemp(join(scratch, 'node-facts-'));
  try {
    const optimizedModelPath = join(folder, 'optimized.onnx');
    const session = unwrap(
      await openSession(modelPath, {
        device,
        intraOpThreads: 1,
        optimizedModelPath,
        inspectOnly: true,
        memoryArena: false,
      }),
    );
    await session.close();
    const facts = new Map<string, NodeFacts>();
    const graph = unwrap(readModel(optimizedModelPath)).proto.graph;
    if (graph !== undefined) collectFacts(graph, new Map(), facts);
    return ok((node) => facts.get(node));
  } catch (error) {
    if (error instanceof ProblemError) return err(error.problem);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bodies read weights of the graphs around them. */
function collectFacts(
  graph: GraphProto,
  outer: ReadonlyMap<string, TypedShape>,
  facts: Map<string, NodeFacts>,
): void {
  const weights = new Map(outer);
  for (const tensor of graph.initializer) {
    if (tensor.name !== undefined) weights.set(tensor.name, shapeOf(tensor));
  }
  for (const node of graph.node) {
    if (node.name) facts.set(node.name, factsOf(node, weights));
    for (const body of subgraphsOf(node)) collectFacts(body, weights, facts);
  }
}

function factsOf(node: NodeProto, weights: ReadonlyMap<string, TypedShape>): NodeFacts {
  const kernelShape = intsAttribute(node, 'kernel_shape');
  return {
    weights: node.input.flatMap((name) => weights.get(name) ?? []),
    ...(kernelShape === undefined ? {} : { kernelShape }),
  };
}

const TYPE_NAMES = new Map<number, string>(Object.entries(DATA_TYPE).map(([name, value]) => [value, name]));

function shapeOf({ dataType, dims }: TensorProto): TypedShape {
  return { type: TYPE_NAMES.get(dataType ?? 0) ?? 'undefined', dims: dims.map(Number) };
}
