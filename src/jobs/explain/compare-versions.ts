import type { NamedTensors } from '../../core/tensor.ts';
import { makeNode } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { changedParameters } from '../../quantization/explain/changed-parameters.ts';
import { type NodeResult, nodeResults } from '../../quantization/explain/node-results.ts';
import {
  accumulateTensor,
  type TensorAccumulator,
  toDecibels,
} from '../../quantization/explain/tensor-statistics.ts';
import type { GraphView } from '../../quantization/graph-view.ts';
import type { ModelRunner } from '../model-runner.ts';
import type { ChosenSamples } from './choose-samples.ts';
import type { MovedNode } from './movement.ts';

/** So many results of a sample are held at once; they are whole tensors. */
const RESULTS_A_PASS = 48;

/**
 * Which results of nodes are others in the newer of two versions of a model, and what is set otherwise in those nodes: both quantized, or
 * both float32. Nodes are the same that are called alike. Throws `ProblemError`.
 */
export async function compareVersions(
  { before, after }: { readonly before: GraphView; readonly after: GraphView },
  { samples, runner }: { readonly samples: ChosenSamples; readonly runner: ModelRunner },
  onSample: (done: number, total: number) => void,
): Promise<{
  readonly nodes: readonly MovedNode[];
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}> {
  const [old, now] = [nodeResults(before), nodeResults(after)];
  const shared = [...now.values()].flatMap((result) => {
    const other = old.get(result.node);
    return other === undefined ? [] : [{ before: other, after: result }];
  });
  const noises = new Map<string, number | undefined>();
  const passes = Math.ceil(shared.length / RESULTS_A_PASS);
  let done = 0;
  for (let pass = 0; pass < passes; pass++) {
    const part = shared.slice(pass * RESULTS_A_PASS, (pass + 1) * RESULTS_A_PASS);
    const first = showResults(
      before,
      part.map((pair) => pair.before),
    );
    const second = showResults(
      after,
      part.map((pair) => pair.after),
    );
    const sums = part.map(() => accumulateTensor(undefined));
    await runner.with(
      first.model,
      (inOld) =>
        runner.with(
          second.model,
          async (inNew) => {
            for await (const { feeds } of samples.read()) {
              const [values, others] = await Promise.all([inOld.run(feeds), inNew.run(feeds)]);
              for (const [at, sum] of sums.entries()) {
                add(sum, values[first.outputs[at] as string], others[second.outputs[at] as string]);
              }
              done += 1;
              onSample(done, passes * samples.count);
            }
          },
          'codes',
        ),
      'codes',
    );
    for (const [at, pair] of part.entries()) {
      noises.set(pair.after.node, sums[at]?.result().accumulatedNoise);
    }
  }
  const results = new Set([...old.values()].flatMap(({ quantized }) => quantized?.rounded?.id ?? []));
  const moved = shared.flatMap(({ before: from, after: to }) => {
    const noise = noises.get(to.node);
    const changed = changedParameters(from, to, ({ id }) => results.has(id));
    if ((noise === undefined || noise === 0) && changed.length === 0) return [];
    const inputs = Math.max(0, ...to.reads.map((name) => noises.get(name) ?? 0));
    const { node, op, depth } = to;
    const described = {
      node,
      op,
      depth,
      sqnrDb: toDecibels(noise),
      inputsSqnrDb: toDecibels(inputs),
      changed,
    };
    return [{ isChanged: changed.length > 0, added: (noise ?? 0) - inputs, described }];
  });
  return {
    // What merely hands on, or makes larger, what moved before it stands behind those that are set otherwise.
    nodes: moved
      .sort((a, b) => Number(b.isChanged) - Number(a.isChanged) || b.added - a.added)
      .map(({ described }) => described),
    onlyBefore: [...old.keys()].filter((name) => !now.has(name)),
    onlyAfter: [...now.keys()].filter((name) => !old.has(name)),
  };
}

/** A copy of the model that gives out results of nodes, codes as what they stand for. */
function showResults(
  { model, graph }: GraphView,
  results: readonly NodeResult[],
): { readonly model: OnnxModel; readonly outputs: readonly string[] } {
  const names = createNameScope(graph);
  const nodes: NodeProto[] = [];
  const outputs = results.map(({ seen }) => {
    if ('float' in seen) return seen.float;
    const { codes, scale, zeroPoint } = seen.codes;
    const output = names.fresh(`${codes}_seen`);
    nodes.push(
      makeNode('DequantizeLinear', { name: output, input: [codes, scale, zeroPoint], output: [output] }),
    );
    return output;
  });
  const given = new Set(graph.output.map(({ name }) => name));
  const more = [...new Set(outputs)].filter((name) => !given.has(name));
  const shown = {
    ...graph,
    node: [...graph.node, ...nodes],
    output: [...graph.output, ...more.map((name) => ({ name, metadataProps: [] }))],
  };
  return { model: { ...model, proto: { ...model.proto, graph: shown } }, outputs };
}

function add(
  sum: TensorAccumulator,
  values: NamedTensors[string] | undefined,
  others: NamedTensors[string] | undefined,
): void {
  if (!(values?.data instanceof Float32Array)) return;
  sum.add(values.data, values.dims, others?.data instanceof Float32Array ? others.data : undefined);
}
