import type { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { ValueInfoProto } from '../../src/onnx/messages.ts';
import { type OnnxModel, readModel } from '../../src/onnx/model-file.ts';
import { auditFusion } from '../../src/quantization/audit.ts';
import { graphOf } from '../support/chain.ts';
import { expectSamePorts, optimizedGraph, runOptimized } from '../support/quantize-in-memory.ts';
import { quantizeOnCodes } from '../support/quantize-on-codes.ts';
import { randomConvNet } from '../support/random-conv-net.ts';
import { findRealModels, listRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { type Feeds, wavyFeed } from '../support/run-model.ts';
import { unwrap } from '../support/unwrap.ts';

const NETS = 60;

/** Quantizes in both forms and checks that the runtime computes the same with either, down to the last bit. */
async function expectSameInBothForms(given: OnnxModel, samples: readonly Feeds[]): Promise<void> {
  const { qdq, onCodes, report } = await quantizeOnCodes(given, samples);
  expectSamePorts(qdq, onCodes);
  expect(report.left).toEqual([]);
  expect(auditFusion(report.nodes, graphOf(onCodes), await optimizedGraph(onCodes)).notFused).toEqual([]);
  for (const feeds of samples) {
    const expected = await runOptimized(qdq, feeds);
    const found = await runOptimized(onCodes, feeds);
    for (const [name, { data }] of Object.entries(expected)) expect(sameBits(found[name], data)).toBe(true);
  }
}

function sameBits(found: Tensor | undefined, expected: Tensor['data']): boolean {
  return found !== undefined && Buffer.compare(bytesOf(found.data), bytesOf(expected)) === 0;
}

function bytesOf(data: Tensor['data']): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

describe('operators on codes', () => {
  it.each(Array.from({ length: NETS }, (_, seed) => seed))(
    'give the codes of the Q/DQ form of random net %i',
    async (seed) => {
      const { model, samples } = randomConvNet(seed);
      await expectSameInBothForms(model, samples);
    },
  );
});

const NAMES: ReadonlySet<string> = new Set([
  'squeezenet1_1.onnx',
  'mobilenetv2.onnx',
  'resnet20.onnx',
  'kwt1_mfcc.onnx',
  'mnist.onnx',
  'version-RFB-320.onnx',
  'nanodet_m.onnx',
]);

describe('operators on codes of real models', () => {
  const models = findRealModels();
  skipWithoutRealModels(models);

  it.each(listRealModels(models).filter(({ name }) => NAMES.has(name)))(
    'give the codes of the Q/DQ form of $name',
    async ({ path }) => {
      const given = unwrap(readModel(path));
      const { input, initializer } = graphOf(given);
      const constants = new Set(initializer.map(({ name }) => name));
      const fed = input.filter(({ name }) => !constants.has(name));
      await expectSameInBothForms(given, [
        Object.fromEntries(fed.map((port) => [port.name ?? '', wavyFeed(...dimsOf(port))])),
      ]);
    },
  );
});

/** Its dimensions; 1 where they vary. */
function dimsOf({ type }: ValueInfoProto): readonly number[] {
  return (type?.tensorType?.shape?.dim ?? []).map(({ dimValue = 0 }) => Math.max(1, dimValue));
}
