import { intAttributeProto, setAttribute } from '../../onnx/attributes.ts';
import { makeNode } from '../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { GraphView } from '../graph-view.ts';
import { setConstant } from './constants.ts';
import { exists, type FloatTensor, type Precision } from './float-tensor.ts';
import { halfTensor, halfValues, LARGEST_FLOAT16 } from './half-values.ts';
import { replaceIdleCasts } from './idle-casts.ts';
import type { Float16Plan, PlannedGraph } from './plan.ts';

/** How many values of a constant changed by more than rounding. */
export interface ChangedValues {
  readonly tensor: string;
  readonly count: number;
}

export interface Conversions {
  /** Cast nodes added. */
  readonly casts: number;
  readonly clamped: readonly ChangedValues[];
  readonly raised: readonly ChangedValues[];
}

/**
 * Writes the plan into the graphs. Each tensor gets at most one copy in its other form, made where the tensor itself is
 * made: a constant and a Cast are repeated in that form, any other tensor is cast. Constants are converted one at a time.
 */
export function applyPlan(plan: Float16Plan, view: GraphView, names: NameScope): Conversions {
  const forms = nameForms(plan, names);
  for (const { tensor, precision, rename } of plan.reads) {
    rename(forms.nameOf(tensor, precision === 'any' ? (tensor.home ?? 'float32') : precision));
  }
  const writer = createWriter(view, forms, names);
  for (const graph of plan.graphs) writer.write(graph);
  replaceIdleCasts(view.graph);
  return writer.conversions();
}

interface FormNames {
  nameOf(tensor: FloatTensor, precision: Precision): string;
}

/** The tensor's own name goes to the form that a graph declares, else to the one in which it is made. */
function nameForms({ graphs }: Float16Plan, names: NameScope): FormNames {
  const copies = new Map<FloatTensor, string>();
  const owner = (tensor: FloatTensor) => tensor.pinned ?? tensor.home;
  for (const { tensors } of graphs) {
    for (const tensor of tensors.values()) {
      const other = owner(tensor) === 'float16' ? 'float32' : 'float16';
      if (exists(tensor, other)) copies.set(tensor, names.fresh(`${tensor.name}_${other}`));
    }
  }
  return {
    nameOf: (tensor, precision) => {
      const name = precision === owner(tensor) ? tensor.name : copies.get(tensor);
      if (name === undefined) throw new Error(`no ${precision} form of '${tensor.name}' was planned`);
      return name;
    },
  };
}

function createWriter(view: GraphView, { nameOf }: FormNames, names: NameScope) {
  const clamped: ChangedValues[] = [];
  const raised: ChangedValues[] = [];
  let casts = 0;

  const toHalf = (constant: TensorProto, name: string): TensorProto => {
    const values = halfValues(view.readFloats(constant));
    const tensor = constant.name ?? name;
    if (values.clamped > 0) clamped.push({ tensor, count: values.clamped });
    if (values.raised > 0) raised.push({ tensor, count: values.raised });
    return halfTensor(constant, name, values);
  };

  /** Makes a Constant, ConstantOfShape or Cast give float16. */
  const giveHalf = (node: NodeProto, tensor: FloatTensor): NodeProto => {
    if (tensor.constant !== undefined) setConstant(node, toHalf(tensor.constant, ''));
    else if (node.opType === 'Cast') setAttribute(node, intAttributeProto('to', DATA_TYPE.float16));
    return node;
  };

  const convertInitializers = (planned: PlannedGraph): TensorProto[] =>
    planned.graph.initializer.flatMap((constant) => {
      const tensor = planned.tensors.get(constant.name ?? '');
      if (tensor?.constant !== constant) return [constant];
      return [
        ...(exists(tensor, 'float32') ? [{ ...constant, name: nameOf(tensor, 'float32') }] : []),
        ...(exists(tensor, 'float16') ? [toHalf(constant, nameOf(tensor, 'float16'))] : []),
      ];
    });

  const castTo = (precision: Precision, tensor: FloatTensor, from: string): NodeProto => {
    casts += 1;
    return makeNode('Cast', {
      name: names.fresh(`${tensor.name}_Cast`),
      input: [from],
      output: [nameOf(tensor, precision)],
      attribute: [intAttributeProto('to', DATA_TYPE[precision === 'float16' ? 'float16' : 'float'])],
    });
  };

  /** Nodes that make the form of `tensor` which is not its home, if it is wanted. */
  const copyOf = (tensor: FloatTensor, limits: Limits, producer?: NodeProto): NodeProto[] => {
    const precision = tensor.home === 'float16' ? 'float32' : 'float16';
    if (!tensor.wanted.has(precision)) return [];
    const isRepeatable =
      producer !== undefined && (tensor.constant !== undefined || producer.opType === 'Cast');
    if (isRepeatable && precision === 'float16') {
      if (tensor.constant === undefined) casts += 1;
      const repeated: NodeProto = {
        ...producer,
        name: names.fresh(`${producer.name || tensor.name}_float16`),
        input: [...producer.input],
        output: [nameOf(tensor, 'float16')],
        attribute: [...producer.attribute],
      };
      return [giveHalf(repeated, tensor)];
    }
    const from = nameOf(tensor, tensor.home ?? 'float32');
    if (precision === 'float32' || !tensor.saturates) return [castTo(precision, tensor, from)];
    const limited = names.fresh(`${tensor.name}_limited`);
    const clip = makeNode('Clip', {
      name: names.fresh(`${tensor.name}_Clip`),
      input: [from, ...limits.names()],
      output: [limited],
    });
    return [clip, castTo('float16', tensor, limited)];
  };

  const write = (planned: PlannedGraph): void => {
    const { graph, tensors } = planned;
    const limits = createLimits(names);
    const made = new Set(graph.node.flatMap(({ output }) => output));
    const given = [...tensors.values()].filter(
      ({ name, constant }) => !made.has(name) && constant === undefined,
    );
    const nodes = given.flatMap((tensor) => copyOf(tensor, limits));
    for (const node of graph.node) {
      const outputs = node.output.flatMap((name) => tensors.get(name) ?? []);
      const copies = outputs.flatMap((tensor) => copyOf(tensor, limits, node));
      for (const tensor of outputs) if (tensor.home === 'float16') giveHalf(node, tensor);
      node.output = node.output.map((name) => {
        const tensor = tensors.get(name);
        return tensor?.home === undefined ? name : nameOf(tensor, tensor.home);
      });
      nodes.push(node, ...copies);
    }
    graph.node = nodes;
    graph.initializer = [...convertInitializers(planned), ...limits.initializers];
    declareTypes(planned);
  };

  const declareTypes = ({ graph, tensors }: PlannedGraph): void => {
    for (const value of [...graph.input, ...graph.output, ...graph.valueInfo]) {
      const tensor = tensors.get(value.name ?? '');
      const type = value.type?.tensorType;
      if (tensor === undefined || type === undefined) continue;
      const isHalf = exists(tensor, 'float16') && nameOf(tensor, 'float16') === tensor.name;
      if (isHalf) type.elemType = DATA_TYPE.float16;
    }
  };

  return {
    write,
    conversions: (): Conversions => ({ casts, clamped, raised }),
  };
}

interface Limits {
  /** Names of the lowest and the largest float16, as float32 constants. */
  names(): readonly [string, string];
  readonly initializers: TensorProto[];
}

/** The constants for a Clip to the range of float16, added to a graph when they are first asked for. */
function createLimits(names: NameScope): Limits {
  const initializers: TensorProto[] = [];
  return {
    initializers,
    names: () => {
      if (initializers.length === 0) {
        for (const [hint, value] of [
          ['float16_lowest', -LARGEST_FLOAT16],
          ['float16_largest', LARGEST_FLOAT16],
        ] as const) {
          initializers.push(tensorFrom(names.fresh(hint), [], Float32Array.of(value)));
        }
      }
      return [initializers[0]?.name ?? '', initializers[1]?.name ?? ''];
    },
  };
}
