import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DATA_TYPE, type ModelProto, type SourceFile, type TensorProto } from '../../src/onnx/messages.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { unwrap } from '../support/unwrap.ts';

/** One model that was opened, walked and rewritten, and what copying its files takes on the same disk. */
export interface OnnxRewriteResult {
  readonly model: 'inline' | 'external';
  readonly sizeBytes: number;
  readonly openSeconds: number;
  readonly walkSeconds: number;
  /** Including the flush to the disk. */
  readonly rewriteSeconds: number;
  /** `cp` of the same files, and the flush to the disk that follows it. */
  readonly copySeconds: number;
  readonly syncSeconds: number;
  /** Of the process before it opens the model, and at most. */
  readonly idleRssBytes: number;
  readonly peakRssBytes: number;
}

const TENSOR_BYTES = 64 * 2 ** 20;
const INLINE_TENSORS = 24;
const EXTERNAL_TENSORS = 48;

/** Rewrites a model of 1.5 GiB in one file and one of 3 GiB with external data. Takes 8 GiB of temporary disk space. */
export async function onnxRewrite(): Promise<readonly OnnxRewriteResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-onnx-rewrite-'));
  try {
    const weights = writeWeights(join(folder, 'weights.bin'), EXTERNAL_TENSORS);
    const inline = join(folder, 'inline.onnx');
    unwrap(writeModel({ path: undefined, proto: modelOf(weights, INLINE_TENSORS) }, inline));
    const inlineResult = await measure('inline', inline, [inline], folder);

    const external = join(folder, 'external.onnx');
    unwrap(writeModel({ path: undefined, proto: modelOf(weights, EXTERNAL_TENSORS) }, external));
    rmSync(weights.path);
    return [inlineResult, await measure('external', external, [external, `${external}.data`], folder)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  model: OnnxRewriteResult['model'],
  path: string,
  files: readonly string[],
  folder: string,
): Promise<OnnxRewriteResult> {
  const run = promisify(execFile);
  const copies = join(folder, 'copies');
  await run('mkdir', [copies]);
  const start = performance.now();
  await run('cp', ['--reflink=never', ...files, copies]);
  const copied = performance.now();
  await run('sync', [copies, ...files.map((file) => file.replace(folder, copies))]);
  const synced = performance.now();
  rmSync(copies, { recursive: true });

  const child = fileURLToPath(new URL('./onnx-rewrite-child.ts', import.meta.url));
  const target = join(folder, 'rewritten.onnx');
  const { stdout } = await run(process.execPath, [...process.execArgv, child, path, target]);
  for (const file of [path, target]) {
    rmSync(file);
    rmSync(`${file}.data`, { force: true });
  }
  return {
    model,
    copySeconds: (copied - start) / 1e3,
    syncSeconds: (synced - copied) / 1e3,
    ...(JSON.parse(stdout) as Omit<OnnxRewriteResult, 'model' | 'copySeconds' | 'syncSeconds'>),
  };
}

/** A file of weights that no file system stores as holes. */
function writeWeights(path: string, tensors: number): SourceFile {
  const block = new Float32Array(2 ** 18);
  const descriptor = openSync(path, 'w');
  try {
    for (let index = 0; index < (tensors * TENSOR_BYTES) / block.byteLength; index++) {
      block.fill(1 / (index + 1));
      writeSync(descriptor, block);
    }
    // Otherwise the disk would still be busy with it while the copy is timed.
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  const { size, mtimeMs, ino } = statSync(path);
  return { path, sizeBytes: size, mtimeMs, inode: ino };
}

/** A chain of matrix multiplications whose weights still lie in `weights`. */
function modelOf(weights: SourceFile, tensors: number): ModelProto {
  const none = { metadataProps: [] };
  const side = Math.sqrt(TENSOR_BYTES / 4);
  const initializer = Array.from(
    { length: tensors },
    (_, index): TensorProto => ({
      name: `weight${index}`,
      dims: [side, side],
      dataType: DATA_TYPE.float,
      stringData: [],
      externalData: [],
      rawData: { kind: 'file', file: weights, offset: index * TENSOR_BYTES, sizeBytes: TENSOR_BYTES },
      ...none,
    }),
  );
  const value = (name: string) => ({ name, ...none });
  const node = initializer.map((_, index) => ({
    opType: 'MatMul',
    input: [`value${index}`, `weight${index}`],
    output: [`value${index + 1}`],
    attribute: [],
    deviceConfigurations: [],
    ...none,
  }));
  return {
    irVersion: 10,
    opsetImport: [{ version: 17 }],
    graph: {
      node,
      initializer,
      sparseInitializer: [],
      input: [value('value0')],
      output: [value(`value${tensors}`)],
      valueInfo: [],
      quantizationAnnotation: [],
      ...none,
    },
    trainingInfo: [],
    functions: [],
    configuration: [],
    ...none,
  };
}
