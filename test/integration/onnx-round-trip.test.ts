import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { DATA_TYPE, type FunctionProto, type ValueInfoProto } from '../../src/onnx/messages.ts';
import { encodeModel, type OnnxModel, readModel } from '../../src/onnx/model-file.ts';
import { tensorFrom } from '../../src/onnx/tensor-data.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import { findRealModels, listRealModels, skipWithoutRealModels } from '../support/real-models.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const realModels = findRealModels();
const files = listRealModels(realModels);

describe('a real model', () => {
  skipWithoutRealModels(realModels);

  it.each(files.map(({ name, path }) => [name, path]))(
    '%s survives reading and writing',
    async (_name, path) => {
      const folder = temporaryFolder();
      const inline = join(folder, 'inline.onnx');
      const external = join(folder, 'external.onnx');
      const back = join(folder, 'back.onnx');
      const source = unwrap(readModel(path));
      unwrap(writeModel(source, inline));
      const { externalSizeBytes } = unwrap(writeModel(source, external, { externalData: 'external' }));
      unwrap(writeModel(unwrap(readModel(external)), back, { externalData: 'inline' }));

      // Buffers compare themselves: going over megabytes element by element takes vitest minutes.
      const found = unwrap(encodeModel(unwrap(readModel(inline))));
      expect(Buffer.compare(found, unwrap(encodeModel(source)))).toBe(0);
      // The models at hand were written in field order, as protobuf libraries do, so even their bytes are equal.
      expect(readFileSync(inline).equals(readFileSync(path))).toBe(true);
      expect(externalSizeBytes).toBeGreaterThan(0);
      expect(existsSync(`${external}.data`)).toBe(true);

      const wanted = await run(path);
      for (const file of [inline, external, back]) expect(await run(file)).toEqual(wanted);
    },
  );
});

describe('a model that ONNX Runtime reads', () => {
  it('keeps its functions, its bodies, its unknown fields and its Constants, which are external at need', async () => {
    const folder = temporaryFolder();
    const wanted = { y: digest({ type: 'float32', dims: [500], data: new Float32Array(500).fill(7) }) };
    const ways = [{}, { externalData: 'external' }, { maxModelFileBytes: 3000 }] as const;
    for (const [index, options] of ways.entries()) {
      const path = join(folder, `${index}.onnx`);
      unwrap(writeModel(modelOfEverything(), path, options));
      expect(await run(path)).toEqual(wanted);

      const again = join(folder, `${index}-again.onnx`);
      unwrap(writeModel(unwrap(readModel(path)), again));
      expect(await run(again)).toEqual(wanted);
      expect(unwrap(readModel(again)).proto.unknown).toEqual(UNKNOWN_FIELD);
    }
    expect(existsSync(join(folder, '0.onnx.data'))).toBe(false);
    expect(existsSync(join(folder, '2-again.onnx.data'))).toBe(true);
  });
});

/** Field 999 of ModelProto, which no version of ONNX has: 5. */
const UNKNOWN_FIELD = Uint8Array.of(0xb8, 0x3e, 0x05);

/** y = 7 for every x: a Constant of 5, twice 1 by a function, and 0 of x by a branch with an initializer. */
function modelOfEverything(): OnnxModel {
  const five = tensorFrom('five', [500], new Float32Array(500).fill(5));
  const one = tensorFrom('one', [500], new Float32Array(500).fill(1));
  const zero = tensorFrom('zero', [500], new Float32Array(500));
  const branch = graph({
    nodes: [node('Mul', ['x', 'zero'], ['nothing'])],
    outputs: [value('nothing', 'float', [500])],
    initializers: [zero],
  });
  const twice: FunctionProto = {
    name: 'Twice',
    domain: 'local',
    input: ['a'],
    output: ['b'],
    attribute: [],
    attributeProto: [],
    node: [node('Add', ['a', 'a'], ['b'])],
    opsetImport: [{ domain: '', version: 17 }],
    valueInfo: [],
    metadataProps: [],
  };
  const { path, proto } = model(
    graph({
      inputs: [value('x', 'float', [500])],
      nodes: [
        node('Constant', [], ['c'], { value: five }),
        node('Twice', ['one'], ['two'], {}, { domain: 'local' }),
        node('If', ['always'], ['none'], { then_branch: branch, else_branch: branch }),
        node('Add', ['c', 'two'], ['seven']),
        node('Add', ['seven', 'none'], ['y']),
      ],
      outputs: [value('y', 'float', [500])],
      initializers: [one, tensorFrom('always', [], Uint8Array.of(1), DATA_TYPE.bool)],
    }),
    { opset: 17, irVersion: 10, imports: { local: 1 } },
  );
  return { path, proto: { ...proto, functions: [twice], unknown: UNKNOWN_FIELD } };
}

/** Type, shape and a hash of the values of every output, with the same arbitrary inputs every time. */
async function run(path: string): Promise<Readonly<Record<string, string>>> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const { graph: main } = unwrap(readModel(path)).proto;
    const constants = new Set(main?.initializer.map(({ name }) => name));
    const inputs = (main?.input ?? []).filter(({ name }) => !constants.has(name));
    const outputs = await session.run(
      Object.fromEntries(inputs.map((input) => [input.name, feedFor(input)])),
    );
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, digest(tensor)]));
  } finally {
    await session.release();
  }
}

function digest({ type, dims, data }: Pick<Tensor, 'type' | 'dims' | 'data'>): string {
  if (!ArrayBuffer.isView(data)) throw new TypeError(`Expected numbers but found ${type}.`);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return `${type}[${dims}] ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Dimensions that a model cannot have 1 of: Silero VAD takes 64 samples of context and 512 new ones. */
const NAMED_DIMENSIONS = new Map([['sequence', 576]]);

/** Dimensions without a number are 1 as a rule; an integer scalar is taken for a sample rate. */
function feedFor(input: ValueInfoProto): Tensor {
  const { elemType, shape } = input.type?.tensorType ?? {};
  const dims = (shape?.dim ?? []).map(
    ({ dimValue, dimParam }) => dimValue ?? NAMED_DIMENSIONS.get(dimParam ?? '') ?? 1,
  );
  if (elemType === DATA_TYPE.int64) return new Tensor('int64', BigInt64Array.of(16000n), dims);
  const count = dims.reduce((product, dim) => product * dim, 1);
  const random = seededRandom(42);
  return new Tensor('float32', Float32Array.from({ length: count }, random), dims);
}

/** Numbers in [0, 1) by a linear congruential generator (Numerical Recipes, third edition, section 7.1). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
