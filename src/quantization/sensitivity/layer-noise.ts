import type { NamedTensors } from '../../core/tensor.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import { anchorsOf } from '../tuning/anchor-constants.ts';
import type { Draft } from '../tuning/draft.ts';
import { createOutputError } from '../tuning/output-error.ts';
import type { TuningTools } from '../tuning/tuning-pass.ts';

/** What one layer alone in int8 costs at the outputs of the model. */
export interface LayerNoise {
  /** The name of the node. */
  readonly node: string;
  readonly op: string;
  /** Noise over signal; `sqnrDb` is −10·log10 of it. */
  readonly noise: number;
}

/**
 * Quantizes each layer of a draft alone, its weights and the activations that it reads and gives, and compares the outputs
 * with those of the float model. Small errors add up: the noise of the whole is about the sum of these.
 * @param samples so many of those to learn from are run
 */
export async function measureLayerNoise(
  draft: Draft,
  { leave, quantize, learn }: Pick<TuningTools, 'leave' | 'quantize' | 'learn'>,
  samples: number,
): Promise<readonly LayerNoise[]> {
  const references = new Map<number, NamedTensors>();
  for await (const { sample, outputs } of learn(draft.view.model, samples)) references.set(sample, outputs);
  const names = anchorsOf(draft).map(({ node }) => node.name ?? '');
  const measured: LayerNoise[] = [];
  for (const { node } of anchorsOf(draft)) {
    const others = names
      .filter((name) => name !== node.name)
      .map((name) => [name, 'to see another alone'] as const);
    const error = createOutputError();
    for await (const { sample, outputs } of learn(quantize(leave(draft, new Map(others))), samples)) {
      const reference = references.get(sample);
      if (reference !== undefined) error.add(reference, outputs);
    }
    measured.push({ node: nodeLabel(node), op: node.opType ?? '', noise: 10 ** (-error.sqnrDb() / 10) });
  }
  return measured;
}
