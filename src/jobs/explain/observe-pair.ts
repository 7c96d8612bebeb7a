import { runAhead } from '../../core/run-ahead.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { Sample } from '../../data/sample-source.ts';
import { makeNode, nodeLabel } from '../../onnx/make-node.ts';
import { observeBoth, type SharedTensor } from '../../quantization/explain/observed-models.ts';
import type { PairedNode, Pairing } from '../../quantization/explain/pair-graphs.ts';
import {
  accumulateTensor,
  type TensorAccumulator,
  type TensorStatistics,
} from '../../quantization/explain/tensor-statistics.ts';
import type { GraphView } from '../../quantization/graph-view.ts';
import { castFeeds } from '../cast-feeds.ts';
import type { ModelRunner } from '../model-runner.ts';
import type { ChosenSamples } from './choose-samples.ts';
import type { OpenedPair } from './open-pair.ts';

const SAMPLES_AT_ONCE = 2;

/** Values of all observed tensors of one sample and one model that are held at once, beside those of the next. */
const MOST_VALUES = 12 * 2 ** 20;

/**
 * What the values of tensors are in both models, by their names in the float32 model: one pass, or several where all tensors of a sample
 * would take too much memory. What is kept does not grow with the number of samples.
 * @param onSample told after every sample of every pass, with how many there are
 */
export async function observePair(
  { float, quantized, pairing }: Pick<OpenedPair, 'float' | 'quantized' | 'pairing'>,
  { samples, runner }: { readonly samples: ChosenSamples; readonly runner: ModelRunner },
  onSample: (done: number, total: number) => void,
): Promise<ReadonlyMap<string, TensorStatistics>> {
  const tensors = sharedTensors(pairing, float);
  const parts = await divide(tensors, float, { samples, runner });
  const statistics = new Map<string, TensorStatistics>();
  const total = parts.length * samples.count;
  let done = 0;
  for (const part of parts) {
    const { float: floatModel, quantized: quantizedModel, outputs } = observeBoth(float, quantized, part);
    const accumulators = new Map<string, TensorAccumulator>(
      part.map(({ float: name }) => [name, accumulateTensor(pairing.rounded.get(name)?.grid)]),
    );
    await runner.with(floatModel, (inFloat) =>
      runner.with(
        quantizedModel,
        async (inCodes) => {
          const runBoth = ({ feeds }: Sample) =>
            Promise.all([inFloat.run(feeds), inCodes.run(castFeeds(feeds, inCodes.inputs))]);
          // The next sample is computed while the values of one are counted.
          for await (const [values, others] of runAhead(samples.read(), runBoth, SAMPLES_AT_ONCE)) {
            for (const { tensor, float: seen, quantized: other } of outputs) {
              add(accumulators.get(tensor), values[seen], other === undefined ? undefined : others[other]);
            }
            done += 1;
            onSample(done, total);
          }
        },
        'codes',
      ),
    );
    for (const [name, accumulator] of accumulators) statistics.set(name, accumulator.result());
  }
  return statistics;
}

function add(
  accumulator: TensorAccumulator | undefined,
  values: NamedTensors[string] | undefined,
  others: NamedTensors[string] | undefined,
): void {
  if (accumulator === undefined || !(values?.data instanceof Float32Array)) return;
  accumulator.add(values.data, values.dims, others?.data instanceof Float32Array ? others.data : undefined);
}

/** What is rounded, and the results of quantized nodes that stay float. */
function sharedTensors({ nodes, rounded }: Pairing, { index }: GraphView): readonly SharedTensor[] {
  const isThere = (name: string) => index.producerOf.has(name) || index.inputs.has(name);
  const ofGrids = [...rounded].map(([name, { seen }]) => ({ float: name, quantized: seen }));
  const floats = nodes.flatMap(({ quantized, output }: PairedNode) =>
    rounded.has(output) ? [] : [{ float: output, quantized: { float: quantized.output } }],
  );
  return [...ofGrids, ...floats].filter(
    ({ float }, position, all) =>
      isThere(float) && all.findIndex((other) => other.float === float) === position,
  );
}

/** Parts of the tensors, of each of which the values of a sample fit into memory. */
async function divide(
  tensors: readonly SharedTensor[],
  float: GraphView,
  { samples, runner }: { readonly samples: ChosenSamples; readonly runner: ModelRunner },
): Promise<readonly (readonly SharedTensor[])[]> {
  if (tensors.length === 0) return [];
  const { float: observed, outputs } = observeBoth(float, float, tensors);
  const graph = observed.proto.graph;
  if (graph === undefined) return [tensors];
  const seen = new Set(outputs.map((output) => output.float));
  // Sizes alone: the values themselves are never held together here.
  const sizes = outputs.map((output) => `${output.float}_size_of_values`);
  const sizing = {
    ...observed,
    proto: {
      ...observed.proto,
      graph: {
        ...graph,
        node: [
          ...graph.node,
          ...outputs.map((output, at) => {
            const name = sizes[at] as string;
            return makeNode('Size', { name, input: [output.float], output: [name] });
          }),
        ],
        output: [
          ...graph.output.filter(({ name = '' }) => !seen.has(name)),
          ...sizes.map((name) => ({ name, metadataProps: [] })),
        ],
      },
    },
  };
  const counts = await runner.with(sizing, async (session) => {
    for await (const { feeds } of samples.read(1)) {
      const results = await session.run(feeds);
      return sizes.map((name) => Number((results[name]?.data as BigInt64Array | undefined)?.[0] ?? 0n));
    }
    return [];
  });
  const parts: SharedTensor[][] = [[]];
  let held = 0;
  for (const [at, tensor] of tensors.entries()) {
    const count = counts[at] ?? 0;
    if (held > 0 && held + count > MOST_VALUES) {
      parts.push([]);
      held = 0;
    }
    held += count;
    parts.at(-1)?.push(tensor);
  }
  return parts;
}

/** Tensors with what they cost by now, in the order of the float32 model. */
export function depthOf(
  statistics: ReadonlyMap<string, TensorStatistics>,
  { graph }: GraphView,
): readonly {
  readonly tensor: string;
  readonly node: string;
  readonly depth: number;
  readonly noise: number;
}[] {
  return graph.node.flatMap((node, depth) =>
    node.output.flatMap((tensor) => {
      const noise = statistics.get(tensor)?.accumulatedNoise;
      return noise === undefined ? [] : [{ tensor, node: nodeLabel(node), depth, noise }];
    }),
  );
}
