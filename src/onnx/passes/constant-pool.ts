import type { GraphProto, NodeProto, TensorProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { readTensorData } from '../tensor-data.ts';
import { expectedSizeBytes } from '../tensor-layout.ts';

const ADDED_BYTES_LIMIT = 512 * 2 ** 20;

/** The constants of a graph while a pass adds to them. An initializer that is also a graph input is none. */
export interface ConstantPool {
  readonly leftBytes: number;
  has(name: string): boolean;
  get(name: string): TensorProto | undefined;
  /** The values of a constant of integers, as numbers; undefined for what is none. */
  integers(name: string): readonly number[] | undefined;
  isGraphOutput(name: string): boolean;
  /** Size of the constants that a node reads. */
  inputBytes(node: NodeProto): number;
  /** Adds an initializer to the graph. */
  add(tensor: TensorProto): void;
}

export function createConstantPool(model: OnnxModel, graph: GraphProto): ConstantPool {
  const inputs = new Set(graph.input.map(({ name }) => name));
  const outputs = new Set(graph.output.map(({ name }) => name));
  const constants = new Map<string, TensorProto>();
  for (const tensor of graph.initializer) {
    if (tensor.name !== undefined && !inputs.has(tensor.name)) constants.set(tensor.name, tensor);
  }
  let leftBytes = ADDED_BYTES_LIMIT;
  return {
    get leftBytes() {
      return leftBytes;
    },
    has: (name) => constants.has(name),
    get: (name) => constants.get(name),
    integers: (name) => {
      const tensor = constants.get(name);
      const data = tensor === undefined ? undefined : readTensorData(model, tensor);
      if (!data?.ok || !(data.value instanceof BigInt64Array || data.value instanceof Int32Array)) {
        return undefined;
      }
      return Array.from<bigint | number, number>(data.value, Number);
    },
    isGraphOutput: (name) => outputs.has(name),
    inputBytes: (node) =>
      node.input.reduce((sum, name) => {
        const tensor = constants.get(name);
        return sum + (tensor === undefined ? 0 : (expectedSizeBytes(tensor) ?? 0));
      }, 0),
    add: (tensor) => {
      leftBytes -= expectedSizeBytes(tensor) ?? 0;
      graph.initializer.push(tensor);
      constants.set(tensor.name ?? '', tensor);
    },
  };
}
