import type { Device } from '../core/device.ts';
import { elementCount } from '../core/tensor.ts';
import type { KernelCall, OpProfile } from './op-profile.ts';

/** A node of the optimized graph. */
export interface PlacedNode {
  readonly node: string;
  readonly op: string;
  readonly provider: string;
}

/** Who computed what in a profiled session. */
export interface NodePlacement {
  /** By the runtime's name of the provider, such as `WebGpuExecutionProvider`. Copies between devices are not in it. */
  readonly byProvider: Readonly<
    Record<string, { readonly count: number; readonly nodes: readonly string[] }>
  >;
  /** Nodes with real work that another provider than the device's ran. Empty for the CPU. */
  readonly fellBack: readonly PlacedNode[];
  /** Nodes that the CPU runs for every device, as their results are sizes and decisions that the host needs. */
  readonly hostNodes: readonly PlacedNode[];
  /** Copies between the memory of the host and of the device in the last run, without those of inputs and outputs. */
  readonly copiesPerRun: number;
}

/** The runtime's names. */
export const PROVIDER_OF: Readonly<Record<Device, string>> = {
  cpu: 'CPUExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
};

/**
 * Reads from a profile of at least one run which provider ran each node. What the CPU runs in a session on another device
 * is no fallback if it is
 * - `Shape` or `Size`, which look at no element;
 * - `If`, `Loop` or `Scan`, whose bodies' nodes are judged by themselves;
 * - arithmetic on shapes: all inputs and outputs are integers or booleans of at most one dimension and 100 elements, the
 *   size up to which the runtime itself prefers the CPU (fallback_cpu_capability.cc), or floats of at most one
 *   dimension and 8 elements in an operator that computes sizes and scales from them.
 *
 * Everything else that another provider ran fell back. A node counts as such if one of its calls does.
 */
export function nodesByProvider({ runs }: OpProfile, device: Device): NodePlacement {
  const nodes = new Map<string, PlacedNode>();
  const fellBack = new Map<string, PlacedNode>();
  const hostNodes = new Map<string, PlacedNode>();
  for (const call of runs.flatMap(({ calls }) => calls)) {
    if (isCopy(call)) continue;
    const { node, op, provider } = call;
    const placed = { node, op, provider };
    const key = JSON.stringify(placed);
    nodes.set(key, placed);
    if (provider === PROVIDER_OF[device]) continue;
    (provider === PROVIDER_OF.cpu && belongsOnHost(call) ? hostNodes : fellBack).set(key, placed);
  }
  for (const key of fellBack.keys()) hostNodes.delete(key);
  const lastCalls = runs.at(-1)?.calls ?? [];
  return {
    byProvider: groupByProvider([...nodes.values()]),
    fellBack: [...fellBack.values()],
    hostNodes: [...hostNodes.values()],
    copiesPerRun: lastCalls.filter(isCopy).length,
  };
}

function groupByProvider(nodes: readonly PlacedNode[]): NodePlacement['byProvider'] {
  const names = new Map<string, string[]>();
  for (const { node, provider } of nodes) {
    const ofProvider = names.get(provider) ?? [];
    ofProvider.push(node);
    names.set(provider, ofProvider);
  }
  return Object.fromEntries([...names].map(([provider, of]) => [provider, { count: of.length, nodes: of }]));
}

/** The runtime inserts them where two providers meet. */
function isCopy({ op }: KernelCall): boolean {
  return op === 'MemcpyToHost' || op === 'MemcpyFromHost';
}

const ON_THE_HOST = new Set(['Shape', 'Size', 'If', 'Loop', 'Scan']);
const MOST_INTEGERS = 100;
const MOST_FLOATS = 8;
const INTEGERS = /^u?int\d+$|^bool$/;
const SIZE_OPERATORS = new Set(
  (
    'Abs Add Cast Ceil Concat Div Equal Expand Floor Gather Greater Identity Less Max Min Mul Neg Pow Range Reciprocal ' +
    'Reshape Round Slice Split Sqrt Squeeze Sub Unsqueeze Where'
  ).split(' '),
);

function belongsOnHost({ op, inputShapes, outputShapes }: KernelCall): boolean {
  if (ON_THE_HOST.has(op)) return true;
  const tensors = [...readShapes(inputShapes), ...readShapes(outputShapes)];
  // Without shapes nothing is known of the work.
  if (tensors.length === 0) return false;
  return tensors.every(({ type, dims }) => {
    if (dims.length > 1) return false;
    const elements = elementCount(dims);
    return INTEGERS.test(type)
      ? elements <= MOST_INTEGERS
      : SIZE_OPERATORS.has(op) && elements <= MOST_FLOATS;
  });
}

/** `[{"float":[1,4]},{"int64":[2]}]`, as a profile has it. */
function readShapes(text: string): readonly { readonly type: string; readonly dims: readonly number[] }[] {
  const shapes = JSON.parse(text) as readonly Readonly<Record<string, readonly number[]>>[];
  return shapes.flatMap((shape) => Object.entries(shape).map(([type, dims]) => ({ type, dims })));
}
