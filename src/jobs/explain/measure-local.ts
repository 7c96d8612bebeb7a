import { runAhead } from '../../core/run-ahead.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { Sample } from '../../data/sample-source.ts';
import { buildLocalErrorModel } from '../../quantization/explain/local-error-model.ts';
import type { PairedNode, Pairing } from '../../quantization/explain/pair-graphs.ts';
import { over } from '../../quantization/explain/tensor-statistics.ts';
import type { GraphView } from '../../quantization/graph-view.ts';
import type { ModelRunner } from '../model-runner.ts';
import type { ChosenSamples } from './choose-samples.ts';

/** What is wrong with the result of one node whose inputs are those of the float32 model, as noise over signal. */
export interface LocalError {
  readonly weights: number | undefined;
  readonly inputs: number | undefined;
  readonly clipping: number | undefined;
  /** Values of the result in a run of one sample. */
  readonly size: number;
}

/** Copies beside so many nodes are in one model, which bounds what a run holds. */
const NODES_A_MODEL = 64;

/** @param onSample told after every sample of every pass, with how many there are */
export async function measureLocalErrors(
  view: GraphView,
  pairing: Pairing,
  { samples, runner }: { readonly samples: ChosenSamples; readonly runner: ModelRunner },
  onSample: (done: number, total: number) => void,
): Promise<ReadonlyMap<PairedNode, LocalError>> {
  const errors = new Map<PairedNode, LocalError>();
  const parts = Math.ceil(pairing.nodes.length / NODES_A_MODEL);
  let done = 0;
  for (let part = 0; part < parts; part++) {
    const nodes = pairing.nodes.slice(part * NODES_A_MODEL, (part + 1) * NODES_A_MODEL);
    const { model, outputs } = buildLocalErrorModel(view, pairing, nodes);
    const sums = outputs.map(() => ({ signal: 0, weights: 0, inputs: 0, clipping: 0, size: 0 }));
    await runner.with(model, async (session) => {
      const run = ({ feeds }: Sample) => session.run(feeds);
      for await (const results of runAhead(samples.read(), run, session.runsAtOnce)) {
        for (const [at, output] of outputs.entries()) {
          const sum = sums[at] as (typeof sums)[number];
          sum.signal += numberOf(results, output.signal);
          sum.size = numberOf(results, output.size);
          for (const what of ['weights', 'inputs', 'clipping'] as const) {
            const name = output[what];
            if (name !== undefined) sum[what] += numberOf(results, name);
          }
        }
        done += 1;
        onSample(done, parts * samples.count);
      }
    });
    for (const [at, { node, ...names }] of outputs.entries()) {
      const { signal, size, ...noises } = sums[at] as (typeof sums)[number];
      const ratio = (what: 'weights' | 'inputs' | 'clipping') =>
        names[what] === undefined ? undefined : over(noises[what], signal);
      errors.set(node, {
        size,
        weights: ratio('weights'),
        inputs: ratio('inputs'),
        clipping: ratio('clipping'),
      });
    }
  }
  return errors;
}

function numberOf(results: NamedTensors, name: string): number {
  const data = results[name]?.data;
  return Number((data as ArrayLike<number | bigint> | undefined)?.[0] ?? 0);
}
