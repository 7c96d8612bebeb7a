import type { NodeProto, TensorProto, ValueInfoProto } from '../../src/onnx/messages.ts';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { float, graph, model, node, tensor, value } from './graph-builder.ts';
import { type Feeds, floatFeed } from './run-model.ts';
import { seededRandom } from './seeded-random.ts';

interface FeatureMap {
  readonly name: string;
  /** [1, channels, height, width]. */
  readonly dims: readonly [number, number, number, number];
}

/** A graph in the making, with what random choices need. */
class Sketch {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly maps: FeatureMap[] = [];
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }

  /** Roughly normal numbers. */
  normal(count: number, deviation: number): number[] {
    return Array.from(
      { length: count },
      () => deviation * (this.random() + this.random() + this.random() + this.random() - 2) * 1.7,
    );
  }

  constant(dims: readonly number[], deviation: number): string {
    const name = `k${this.initializers.length}`;
    const count = dims.reduce((product, dim) => product * dim, 1);
    this.initializers.push(tensor(name, dims, this.normal(count, deviation)));
    return name;
  }

  ints(...values: number[]): string {
    const name = `k${this.initializers.length}`;
    this.initializers.push(tensor(name, [values.length], values, 'int64'));
    return name;
  }

  scalar(given: number): string {
    const name = `k${this.initializers.length}`;
    this.initializers.push(tensor(name, [], [given]));
    return name;
  }

  add(opType: string, inputs: readonly string[], attributes: Parameters<typeof node>[3] = {}): string {
    const name = `t${this.nodes.length}`;
    this.nodes.push(node(opType, inputs, [name], attributes));
    return name;
  }
}

type Step = (sketch: Sketch, input: FeatureMap) => FeatureMap;

function conv(sketch: Sketch, input: FeatureMap): FeatureMap {
  const [, channels, height, width] = input.dims;
  const group = sketch.pick([1, 1, 1, channels]);
  const outputs = group === 1 ? sketch.pick([3, 4, 8]) : channels;
  const side = sketch.pick(height >= 3 && width >= 3 ? [1, 3, 3] : [1]);
  const pad = side === 3 ? sketch.pick([0, 1]) : 0;
  const stride = sketch.pick([1, 1, 2]);
  const fanIn = (channels / group) * side * side;
  const weights = sketch.constant([outputs, channels / group, side, side], 1 / Math.sqrt(fanIn));
  const bias = sketch.pick([true, true, false]) ? [sketch.constant([outputs], 0.2)] : [];
  const size = (length: number) => Math.floor((length + 2 * pad - side) / stride) + 1;
  return {
    name: sketch.add('Conv', [input.name, weights, ...bias], {
      kernel_shape: [side, side],
      pads: [pad, pad, pad, pad],
      strides: [stride, stride],
      group,
    }),
    dims: [1, outputs, size(height), size(width)],
  };
}

function pool(opType: string): Step {
  return (sketch, input) => {
    const [, channels, height, width] = input.dims;
    if (height < 2 || width < 2) return input;
    const ceil = sketch.pick([0, 0, 1]);
    const size = (length: number) => (ceil === 1 ? Math.ceil : Math.floor)((length - 2) / 2) + 1;
    return {
      name: sketch.add(opType, [input.name], {
        kernel_shape: [2, 2],
        strides: [2, 2],
        ceil_mode: ceil,
        ...(opType === 'AveragePool' ? { count_include_pad: sketch.pick([0, 1]) } : {}),
      }),
      dims: [1, channels, size(height), size(width)],
    };
  };
}

function unary(opType: string, attributes: Parameters<typeof node>[3] = {}): Step {
  return (sketch, { name, dims }) => ({ name: sketch.add(opType, [name], attributes), dims });
}

function clip(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [low, high] = sketch.pick([
    [0, 6],
    [0, 1],
    [-1, 2],
    [0.25, 4],
  ]) as [number, number];
  return { name: sketch.add('Clip', [name, sketch.scalar(low), sketch.scalar(high)]), dims };
}

/** Add or Mul with a constant, with itself, or with any earlier map of the same shape. */
function combine(opType: string): Step {
  return (sketch, { name, dims }) => {
    const [, channels] = dims;
    const partners = sketch.maps.filter((map) => map.dims.every((dim, axis) => dim === dims[axis]));
    const other =
      sketch.random() < 0.4 || partners.length === 0
        ? sketch.pick([
            () => sketch.constant([channels, 1, 1], 0.5),
            () => sketch.constant([1, channels, 1, 1], 0.5),
            () => sketch.scalar(0.7),
          ])()
        : sketch.pick(partners).name;
    const inputs = sketch.random() < 0.5 ? [name, other] : [other, name];
    return { name: sketch.add(opType, inputs), dims };
  };
}

function concat(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [, channels, height, width] = dims;
  const partner = sketch.pick(sketch.maps.filter((map) => map.dims[2] === height && map.dims[3] === width));
  return {
    name: sketch.add('Concat', [name, partner.name], { axis: 1 }),
    dims: [1, channels + partner.dims[1], height, width],
  };
}

function split(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [, channels, height, width] = dims;
  if (channels < 2) return { name, dims };
  const first = Math.floor(channels / 2);
  const output = `t${sketch.nodes.length}`;
  sketch.nodes.push(
    node('Split', [name, sketch.ints(first, channels - first)], [output, `${output}b`], { axis: 1 }),
  );
  sketch.maps.push({ name: `${output}b`, dims: [1, channels - first, height, width] });
  return { name: output, dims: [1, first, height, width] };
}

function slice(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [, channels, height, width] = dims;
  const inputs = [name, sketch.ints(0), sketch.ints(Math.max(1, channels - 1)), sketch.ints(1)];
  return { name: sketch.add('Slice', inputs), dims: [1, Math.max(1, channels - 1), height, width] };
}

function resize(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [, channels, height, width] = dims;
  if (height > 8) return { name, dims };
  const scales = `k${sketch.initializers.length}`;
  sketch.initializers.push(tensor(scales, [4], [1, 1, 2, 2]));
  const mode = sketch.pick(['nearest', 'nearest', 'linear']);
  return {
    name: sketch.add('Resize', [name, '', scales], { mode, coordinate_transformation_mode: 'asymmetric' }),
    dims: [1, channels, 2 * height, 2 * width],
  };
}

function transpose(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [, channels, height, width] = dims;
  return {
    name: sketch.add('Transpose', [name], { perm: [0, 1, 3, 2] }),
    dims: [1, channels, width, height],
  };
}

function reshape(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [, channels, height, width] = dims;
  return {
    name: sketch.add('Reshape', [name, sketch.ints(0, channels, 1, -1)]),
    dims: [1, channels, 1, height * width],
  };
}

/** Moves an axis of size one to the front and back. */
function unsqueeze(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const wide = sketch.add('Unsqueeze', [name, sketch.ints(0)]);
  return { name: sketch.add('Squeeze', [wide, sketch.ints(0)]), dims };
}

function batchNorm(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  const [, channels] = dims;
  const positive = `k${sketch.initializers.length}`;
  sketch.initializers.push(
    tensor(
      positive,
      [channels],
      sketch.normal(channels, 0.3).map((given) => 1 + given ** 2),
    ),
  );
  const inputs = [
    name,
    positive,
    sketch.constant([channels], 0.2),
    sketch.constant([channels], 0.2),
    positive,
  ];
  return { name: sketch.add('BatchNormalization', inputs), dims };
}

function globalPool(sketch: Sketch, { name, dims }: FeatureMap): FeatureMap {
  return { name: sketch.add('GlobalAveragePool', [name]), dims: [1, dims[1], 1, 1] };
}

const STEPS: readonly Step[] = [
  conv,
  conv,
  conv,
  conv,
  unary('Relu'),
  unary('Relu'),
  unary('Sigmoid'),
  unary('Tanh'),
  unary('LeakyRelu', { alpha: float(0.1) }),
  clip,
  combine('Add'),
  combine('Add'),
  combine('Mul'),
  concat,
  pool('MaxPool'),
  pool('AveragePool'),
  split,
  slice,
  resize,
  transpose,
  reshape,
  unsqueeze,
  batchNorm,
  globalPool,
];

/** A classifier's end: Flatten, then one or two Gemm or MatMul with their bias. */
function classify(sketch: Sketch, { name, dims }: FeatureMap): string {
  let features = dims[1] * dims[2] * dims[3];
  let current = sketch.add('Flatten', [name]);
  for (let layer = sketch.pick([1, 2]); layer > 0; layer--) {
    const deviation = 1 / Math.sqrt(features);
    if (sketch.random() < 0.5) {
      const transB = sketch.pick([0, 1]);
      const weights = sketch.constant(transB === 1 ? [6, features] : [features, 6], deviation);
      const factors = sketch.pick([{}, { alpha: float(0.5), beta: float(2) }]);
      current = sketch.add('Gemm', [current, weights, sketch.constant([6], 0.3)], { transB, ...factors });
    } else {
      const product = sketch.add('MatMul', [current, sketch.constant([features, 6], deviation)]);
      current = sketch.add('Add', [product, sketch.constant([6], 0.3)]);
    }
    if (layer > 1) current = sketch.add('Relu', [current]);
    features = 6;
  }
  return current;
}

/**
 * A small convolutional net that some exporter might have made, and two inputs to run it on. Its steps connect to
 * earlier maps at random, so that tensors have several readers; some maps are outputs as well.
 */
export function randomConvNet(seed: number): {
  readonly model: OnnxModel;
  readonly samples: readonly Feeds[];
} {
  const sketch = new Sketch(seededRandom(seed));
  const input: FeatureMap = { name: 'x', dims: [1, 3, 8, 8] };
  sketch.maps.push(input);
  const length = 3 + Math.floor(sketch.random() * 8);
  for (let step = 0; step < length; step++) {
    // After the first step nothing starts from the input again, so that every path leads through a convolution.
    const candidates = step === 0 ? sketch.maps : sketch.maps.slice(1);
    const from = sketch.random() < 0.8 ? (candidates.at(-1) as FeatureMap) : sketch.pick(candidates);
    const made = step === 0 ? conv(sketch, from) : sketch.pick(STEPS)(sketch, from);
    if (made !== from) sketch.maps.push(made);
  }
  const last = sketch.maps.at(-1) as FeatureMap;
  const outputs: ValueInfoProto[] = [value(sketch.random() < 0.5 ? classify(sketch, last) : last.name)];
  const extra = sketch.pick(sketch.maps);
  const isNew = extra.name !== outputs[0]?.name && extra !== input;
  if (sketch.random() < 0.3 && isNew) outputs.push(value(extra.name));
  return {
    model: model(
      graph({
        inputs: [value('x', 'float', input.dims)],
        nodes: sketch.nodes,
        outputs,
        initializers: sketch.initializers,
      }),
      { opset: sketch.pick([13, 14, 15]), irVersion: 8 },
    ),
    samples: [0, 1].map(() => ({ x: floatFeed(input.dims, sketch.normal(3 * 8 * 8, 1)) })),
  };
}
