import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { openSamples } from '../../src/data/open-samples.ts';
import { type OnnxModel, readModel } from '../../src/onnx/model-file.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { openSession } from '../../src/runtime/session.ts';
import { quantizeInMemory, recipeWith } from '../support/quantize-in-memory.ts';
import type { Feeds } from '../support/run-model.ts';
import { unwrap } from '../support/unwrap.ts';
import { ownQuantize } from './own-quantize.ts';
import { type PeerSubject, peerScript } from './peer-subjects.ts';
import { watchJson } from './watched-process.ts';

/** Tensors that both sides quantize, and those that only one of them does. */
export interface Compared<Difference> {
  readonly compared: number;
  readonly equal: number;
  readonly different: readonly Difference[];
  readonly oursOnly: readonly string[];
  readonly peerOnly: readonly string[];
}

export interface ActivationDifference {
  readonly tensor: string;
  /** Scale and zero point. */
  readonly ours: readonly [number, number];
  readonly peer: readonly [number, number];
  /** How many float32 values the scales are apart. */
  readonly scaleSteps: number;
  /** Equal once the peer quantizes the same nodes: by its own choice it shares the parameters of another tensor. */
  readonly placement: boolean;
  /** We share the parameters of another tensor (a Concat's), for which the peer has the same. */
  readonly shared: boolean;
}

export interface ConstantDifference {
  readonly node: string;
  readonly input: number;
  /** Whether both sides have as many codes and scales; the rest is absent where they do not. */
  readonly alike: boolean;
  /** Equal once the peer quantizes the same nodes; the rest is then absent, too. */
  readonly placement?: boolean;
  /** Channels that differ, by reason: their weights are 0 on the grid; we raised the scale more, for the bias; neither. */
  readonly vanishing?: number;
  readonly raised?: number;
  readonly unexplained?: number;
  readonly channels?: number;
  /** The most float32 values that two scales are apart. */
  readonly scaleSteps?: number;
  /** The most that two codes differ. */
  readonly mostApart?: number;
}

export interface ComparedOutputs {
  /** Outputs of all samples. */
  readonly tensors: number;
  readonly bitEqual: number;
  readonly largestDifference: number;
  readonly largestValue: number;
  /** The distance of the two over that of ours from float32. */
  readonly relativeToError: number;
  /** The distance of the peer's from float32 over that of ours. */
  readonly peerErrorOverOurs: number;
}

export interface ParityReport {
  readonly activations: Compared<ActivationDifference>;
  readonly weights: Compared<ConstantDifference>;
  readonly biases: Compared<ConstantDifference>;
  /** Constant operands of elementwise operators, on the grid of activations. */
  readonly operands: Compared<ConstantDifference>;
  /** Against a peer that quantizes the same nodes. */
  readonly outputs: ComparedOutputs;
  /** Float nodes that the peer feeds rounded values though the float32 ones exist. */
  readonly rewired: readonly string[];
  /** Against the same peer with our scales, zero points and codes in place of its own, and with `rewired` put right. */
  readonly transplanted: ComparedOutputs;
}

export interface ParityReports {
  /** Made by the quantization room from extremes that were seen in an unoptimized run, as the peer sees them. */
  readonly room: ParityReport;
  /** Made by the command line, which calibrates in an optimized run; absent where that was not asked for. */
  readonly commandLine: ParityReport | undefined;
}

/**
 * Quantizes a model on both sides from the same prepared model and the same samples. What differs in `room` is due to
 * arithmetic and placement alone, as both sides see the same extremes, bit for bit.
 */
export async function peerParity(
  { name, modelPath, dataPath }: PeerSubject,
  samples: number,
  python: string,
  { commandLine = false }: { readonly commandLine?: boolean } = {},
): Promise<ParityReports> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-peer-parity-'));
  try {
    const feeds = await readFeeds(modelPath, dataPath, samples);
    const recipe = recipeWith({ calibration: { method: 'minmax' } });
    const { prepared, quantized } = await quantizeInMemory(unwrap(readModel(modelPath)), feeds, { recipe });
    const write = (model: OnnxModel, suffix: string) => {
      const path = join(scratch, `${name}-${suffix}.onnx`);
      unwrap(writeModel(model, path));
      return path;
    };
    const preparedPath = write(prepared, 'prepared');
    const ours = [write(quantized, 'room')];
    if (commandLine) {
      const path = join(scratch, `${name}-command-line.onnx`);
      const same = ['--method', 'minmax', '--reduce-range', 'off', '--samples', String(samples)];
      const ungated = ['--latency-gate', 'off'];
      await ownQuantize(preparedPath, path, ['--calibration', dataPath, ...same, ...ungated]);
      ours.push(path);
    }
    const { report } = await watchJson<readonly ParityReport[]>(python, [
      peerScript('peer-parity.py'),
      preparedPath,
      dataPath,
      ...ours,
      ...['--samples', String(samples), '--evaluate', 'eval'],
    ]);
    return { room: report[0] as ParityReport, commandLine: report[1] };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function readFeeds(modelPath: string, dataPath: string, limit: number): Promise<readonly Feeds[]> {
  const session = unwrap(await openSession(modelPath, { intraOpThreads: 1 }));
  const source = unwrap(
    await openSamples({ path: dataPath }, { split: 'calib', modelInputs: session.inputs, limit }),
  );
  const feeds: Feeds[] = [];
  for await (const sample of source.samples()) {
    feeds.push(
      Object.fromEntries(
        Object.entries(sample.feeds).map(([input, { data, dims }]) => [
          input,
          new Tensor('float32', data as Float32Array, dims),
        ]),
      ),
    );
  }
  await source.close();
  await session.close();
  return feeds;
}
