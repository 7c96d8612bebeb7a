import { ProblemError } from '../../core/problem.ts';
import type { GraphIndex } from '../graph-index.ts';
import { DATA_TYPE, type GraphProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { createNameScope } from '../name-scope.ts';
import { readAsFloat32, tensorFrom } from '../tensor-data.ts';

/** The float32 initializers of a graph. */
export interface FloatConstants {
  /** A copy of the values; undefined for what is no float32 constant. */
  read(name: string): { readonly dims: readonly number[]; readonly data: Float32Array } | undefined;
  /** Stores new values, under the old name where one node alone reads it, and gives the name. */
  write(oldName: string, newName: string, dims: readonly number[], data: Float32Array): string;
}

export function createFloatConstants(model: OnnxModel, graph: GraphProto, index: GraphIndex): FloatConstants {
  const names = createNameScope(graph);
  const isShared = (name: string) =>
    index.consumersOf.get(name)?.length !== 1 ||
    index.outputs.has(name) ||
    index.capturedBySubgraphs.has(name);
  return {
    read: (name) => {
      const tensor = index.initializers.get(name);
      if (tensor?.dataType !== DATA_TYPE.float || index.inputs.has(name)) return undefined;
      const data = readAsFloat32(model, tensor);
      if (!data.ok) throw new ProblemError(data.error);
      return { dims: tensor.dims, data: data.value };
    },
    write: (oldName, newName, dims, data) => {
      const old = index.initializers.get(oldName);
      if (old === undefined || isShared(oldName)) {
        const name = names.fresh(newName);
        graph.initializer.push(tensorFrom(name, dims, data));
        return name;
      }
      graph.initializer[graph.initializer.indexOf(old)] = tensorFrom(oldName, dims, data);
      return oldName;
    },
  };
}
