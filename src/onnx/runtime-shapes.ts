import { inferGraphElementTypes } from './element-types.ts';
import type { KnownShape } from './known-shapes.ts';
import { DATA_TYPE, type GraphProto, type TensorProto, type ValueInfoProto } from './messages.ts';
import type { OnnxModel } from './model-file.ts';
import type { OpenModel } from './open-model.ts';
import { expectedSizeBytes } from './tensor-layout.ts';

/**
 * The shapes of `wanted` tensors of the top-level graph as the runtime infers them from the inputs of the model and its
 * operators. Declared shapes of inner tensors and of outputs are left out of account. Empty where the runtime refuses
 * the model; a tensor of unknown rank is absent, and so is a scalar, which looks the same.
 */
export async function runtimeShapes(
  model: OnnxModel,
  graph: GraphProto,
  wanted: ReadonlySet<string>,
  open: OpenModel,
): Promise<ReadonlyMap<string, KnownShape>> {
  const shapes = new Map<string, KnownShape>();
  const inputs = graph.input.map(withoutImpossibleDims);
  for (const { name = '', type } of inputs) {
    const dims = type?.tensorType?.shape?.dim.map(({ dimValue }) => dimValue);
    if (dims !== undefined) shapes.set(name, dims);
  }
  const inner = new Set(graph.node.flatMap(({ output }) => output).filter((name) => wanted.has(name)));
  if (inner.size === 0) return shapes;
  const opened = await open(skeletonOf(model, { ...graph, input: inputs }, inner));
  if (!opened.ok) return shapes;
  await opened.value.close();
  for (const { name, dims } of opened.value.outputs) {
    if (dims.length > 0)
      shapes.set(
        name,
        dims.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : undefined)),
      );
  }
  return shapes;
}

/** Whether the runtime takes the model, as far as that can be seen without the values of its weights. */
export async function canOpen(model: OnnxModel, graph: GraphProto, open: OpenModel): Promise<boolean> {
  const types = inferGraphElementTypes(graph);
  const computed = graph.node.flatMap(({ output }) => output).reverse();
  // A model has to give out something, which here is a tensor that every runtime can give out.
  const output = computed.find((name) => ORDINARY_TYPES.has(types.get(name) ?? 0));
  if (output === undefined) return false;
  const opened = await open(skeletonOf(model, graph, new Set([output])));
  if (opened.ok) await opened.value.close();
  return opened.ok;
}

const ORDINARY_TYPES: ReadonlySet<number> = new Set([
  ...[DATA_TYPE.float, DATA_TYPE.double, DATA_TYPE.float16, DATA_TYPE.int64, DATA_TYPE.int32],
  ...[DATA_TYPE.int8, DATA_TYPE.uint8, DATA_TYPE.bool, DATA_TYPE.string],
]);

/** Constants of at least this size are weights, whose values say nothing about shapes. */
const WEIGHT_BYTES = 1024;

/** The same graph with its weights as inputs, so that opening it costs little whatever the size of the model. */
function skeletonOf({ path, proto }: OnnxModel, graph: GraphProto, outputs: ReadonlySet<string>): OnnxModel {
  const fed = new Set(graph.input.map(({ name }) => name));
  const isWeight = (tensor: TensorProto) =>
    tensor.dataType !== DATA_TYPE.int64 &&
    tensor.dataType !== DATA_TYPE.string &&
    (expectedSizeBytes(tensor) ?? 0) >= WEIGHT_BYTES;
  const weights = graph.initializer.filter(isWeight);
  const skeleton: GraphProto = {
    ...graph,
    initializer: graph.initializer.filter((tensor) => !isWeight(tensor)),
    input: [...graph.input, ...weights.filter(({ name }) => !fed.has(name)).map(inputLike)],
    output: [...outputs].map((name) => ({ name, metadataProps: [] })),
    valueInfo: [],
    quantizationAnnotation: [],
  };
  return { path, proto: { ...proto, irVersion: Math.max(proto.irVersion ?? 0, 4), graph: skeleton } };
}

function inputLike({ name, dims, dataType }: TensorProto): ValueInfoProto {
  const shape = { dim: dims.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: dataType, shape } }, metadataProps: [] };
}

/** Some exporters write a dimension that may vary as 0 or -1. */
function withoutImpossibleDims(value: ValueInfoProto): ValueInfoProto {
  const { tensorType } = value.type ?? {};
  if (tensorType?.shape === undefined) return value;
  const dim = tensorType.shape.dim.map((entry) => {
    if (entry.dimValue === undefined || entry.dimValue > 0) return entry;
    const { dimValue: _, ...rest } = entry;
    return rest;
  });
  return { ...value, type: { ...value.type, tensorType: { ...tensorType, shape: { dim } } } };
}
