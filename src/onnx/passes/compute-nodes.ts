import { attemptAsync } from '../../core/problem.ts';
import { type ElementType, elementCount, type NamedTensors, type NumericArray } from '../../core/tensor.ts';
import { DATA_TYPE, type GraphProto, type NodeProto, type TensorProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import type { OpenedModel, OpenModel } from '../open-model.ts';
import { tensorFrom } from '../tensor-data.ts';
import { rawSizeBytes, tensorLayout } from '../tensor-layout.ts';
import type { ConstantPool } from './constant-pool.ts';

/** Below this size a constant may be larger than what it is computed from. */
const FREE_GROWTH_BYTES = 2 ** 20;

export interface ComputedNode {
  readonly node: NodeProto;
  readonly results: readonly TensorProto[];
}

/**
 * Lets the runtime compute nodes that read only constants. Gives the results of those that it can compute, in arrays
 * that JavaScript has, and whose results are not too large. Before anything is computed their sizes are known.
 */
export async function computeNodes(
  model: OnnxModel,
  nodes: readonly NodeProto[],
  pool: ConstantPool,
  open: OpenModel,
): Promise<readonly ComputedNode[]> {
  if (nodes.length === 0) return [];
  const opened = await open(modelOf(model, nodes, pool));
  const computed = opened.ok ? await computeOpened(opened.value, nodes, pool) : undefined;
  if (computed !== undefined) {
    // Without those that are too large the others can be computed.
    return computed.tooLarge === undefined
      ? computed.results
      : computeNodes(
          model,
          nodes.filter((node) => !computed.tooLarge.has(node)),
          pool,
          open,
        );
  }
  if (nodes.length < 2) return [];
  // One of them is at fault.
  const each: ComputedNode[] = [];
  for (const node of nodes) each.push(...(await computeNodes(model, [node], pool, open)));
  return each;
}

type Computed =
  | { readonly results: readonly ComputedNode[]; readonly tooLarge?: undefined }
  | { readonly tooLarge: ReadonlySet<NodeProto> };

async function computeOpened(
  opened: OpenedModel,
  nodes: readonly NodeProto[],
  pool: ConstantPool,
): Promise<Computed | undefined> {
  try {
    const ports = new Map(opened.outputs.map((port) => [port.name, port]));
    const tooLarge = new Set(nodes.filter((node) => !isSmallEnough(node, ports, pool)));
    if (tooLarge.size > 0) return { tooLarge };
    const run = await attemptAsync(() => opened.run({}));
    if (!run.ok) return undefined;
    return { results: nodes.map((node) => ({ node, results: resultsOf(node, run.value) })) };
  } finally {
    await opened.close();
  }
}

/** Their results are of unknown size, but never much larger than what they read. */
const BOUNDED_OPS: ReadonlySet<string> = new Set(['NonZero', 'Compress', 'Unique']);

function isSmallEnough(
  node: NodeProto,
  ports: ReadonlyMap<string, OpenedModel['outputs'][number]>,
  pool: ConstantPool,
): boolean {
  let sizeBytes = 0;
  for (const name of namesOf(node)) {
    const port = ports.get(name);
    const layout = port === undefined ? undefined : tensorLayout(dataTypeOf(port.type));
    if (port === undefined || layout === undefined) return false;
    const dims = port.dims.filter((dim) => typeof dim === 'number');
    if (dims.length < port.dims.length && !BOUNDED_OPS.has(node.opType ?? '')) return false;
    sizeBytes += rawSizeBytes(layout, elementCount(dims));
  }
  return sizeBytes <= Math.max(FREE_GROWTH_BYTES, pool.inputBytes(node));
}

function resultsOf(node: NodeProto, results: NamedTensors): readonly TensorProto[] {
  return namesOf(node).map((name) => {
    const tensor = results[name];
    if (tensor === undefined) throw new TypeError(`The runtime gave no ${name}.`);
    return tensorFrom(name, tensor.dims, tensor.data as NumericArray, dataTypeOf(tensor.type));
  });
}

/** The model of nodes that read only constants, all of whose results it gives out. */
function modelOf({ path, proto }: OnnxModel, nodes: readonly NodeProto[], pool: ConstantPool): OnnxModel {
  const read = new Set(nodes.flatMap(({ input }) => input));
  const graph: GraphProto = {
    name: 'constants',
    node: [...nodes],
    initializer: [...read].flatMap((name) => pool.get(name) ?? []),
    input: [],
    output: nodes.flatMap(namesOf).map((name) => ({ name, metadataProps: [] })),
    valueInfo: [],
    sparseInitializer: [],
    quantizationAnnotation: [],
    metadataProps: [],
  };
  // Before IR version 4 every initializer had to be an input.
  const irVersion = Math.max(proto.irVersion ?? 0, 4);
  return { path, proto: { ...proto, irVersion, graph, functions: [], metadataProps: [], trainingInfo: [] } };
}

function namesOf({ output }: NodeProto): readonly string[] {
  return output.filter((name) => name !== '');
}

/** A value of DATA_TYPE. */
function dataTypeOf(type: ElementType): number {
  if (type === 'float32') return DATA_TYPE.float;
  return type === 'float64' ? DATA_TYPE.double : DATA_TYPE[type];
}
