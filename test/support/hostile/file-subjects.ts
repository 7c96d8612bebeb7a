import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readArrivalTrace } from '../../../src/benchmark/traces/read-arrival-trace.ts';
import { loadProfiles } from '../../../src/config/load-profiles.ts';
import { loadRecipe } from '../../../src/config/load-recipe.ts';
import { loadSuite } from '../../../src/config/load-suite.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { loadWebConfig } from '../../../src/config/web-config.ts';
import type { DataSpec } from '../../../src/core/data-spec.ts';
import type { WorkerTask } from '../../../src/jobs/worker-protocol.ts';
import { encodeModel, type OnnxModel } from '../../../src/onnx/model-file.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import { completeRecipe } from '../../../src/quantization/recipe.ts';
import { wav } from '../../unit/data/audio/wav-writer.ts';
import { writePng } from '../../unit/data/image/png-writer.ts';
import { float32Npy, int64Npy, npz } from '../../unit/data/npz-writer.ts';
import { graph, model, node, value } from '../graph-builder.ts';
import { layers } from '../hostile-models.ts';
import { unwrap } from '../unwrap.ts';

const repository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const DIGITS = repository('profiles/digits/digits.onnx');
const DIGITS_DATA = repository('profiles/digits/digits.npz');

/** A good file (or a few that belong together), and what this program does with it. */
export interface FileSubject {
  readonly name: string;
  /** By their paths below the folder of an attempt. Files whose names start with `=` are never mutated. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** For a worker; or done here, as the daemon does it itself. */
  readonly attempt:
    | { readonly in: 'worker'; readonly task: (folder: string) => WorkerTask }
    | { readonly in: 'daemon'; readonly run: (folder: string) => Promise<unknown> };
}

const text = (of: unknown) => Buffer.from(typeof of === 'string' ? of : JSON.stringify(of));

/** Relu of what comes in, so that any data passes through. */
function passThrough(input: string, dims: readonly (number | string)[]): Uint8Array {
  const body = graph({
    inputs: [value(input, 'float', dims)],
    nodes: [node('Relu', [input], ['y'])],
    outputs: [value('y', 'float', dims)],
  });
  return unwrap(encodeModel(model(body)));
}

function ofIds(): Uint8Array {
  const body = graph({
    inputs: [value('ids', 'int64', ['n', 'length'])],
    nodes: [node('Cast', ['ids'], ['y'], { to: 1 })],
    outputs: [value('y', 'float', ['n', 'length'])],
  });
  return unwrap(encodeModel(model(body)));
}

function idx(code: number, dims: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header[2] = code;
  header[3] = dims.length;
  for (const [axis, dim] of dims.entries()) header.writeUInt32BE(dim, 4 + 4 * axis);
  return Buffer.concat([header, data]);
}

function png(seed: number): Uint8Array {
  const lines = new Uint8Array(8 * 9);
  for (let index = 0; index < lines.length; index++)
    lines[index] = index % 9 === 0 ? 0 : (index * seed) % 256;
  return writePng({ width: 8, height: 8, lines });
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index / count);

function inspects(name: string, file: Uint8Array): FileSubject {
  return {
    name,
    files: { 'model.onnx': file },
    attempt: {
      in: 'worker',
      task: (folder) => ({ kind: 'inspect', modelPath: join(folder, 'model.onnx'), audit: true }),
    },
  };
}

function quantizes(
  name: string,
  file: Uint8Array,
  format: 'dynamic-int8' | 'static-int8' | 'weight-int4' | 'float16',
): FileSubject {
  const data = npz({ 'calib/x': float32Npy([4, 4, 64], numbers(4 * 4 * 64)) });
  return {
    name,
    files: { 'model.onnx': file, '=data.npz': data },
    attempt: {
      in: 'worker',
      task: (folder) => ({
        kind: 'quantize',
        modelPath: join(folder, 'model.onnx'),
        outputPath: join(folder, 'out', 'model.onnx'),
        recipe: completeRecipe({ format, latencyGate: 'off' }),
        threads: 1,
        ...(format === 'static-int8'
          ? { data: { spec: { path: join(folder, 'data.npz') }, split: 'calib' } }
          : {}),
      }),
    },
  };
}

function evaluates(
  name: string,
  own: Uint8Array,
  files: Readonly<Record<string, Uint8Array>>,
  spec: (folder: string) => DataSpec,
  more: { readonly task?: string; readonly split?: string } = {},
): FileSubject {
  return {
    name,
    files: { '=model.onnx': own, ...files },
    attempt: {
      in: 'worker',
      task: (folder) => {
        const path = join(folder, 'model.onnx');
        return {
          kind: 'evaluate',
          reference: { variant: 'fp32', path },
          candidates: [{ variant: 'same', path }],
          data: { spec: spec(folder), split: more.split ?? 'all' },
          task: { name: more.task ?? 'fidelity', settings: {} },
          budget: {},
          threads: 1,
          samples: 4,
        };
      },
    },
  };
}

function inDaemon(
  name: string,
  file: string,
  content: Uint8Array,
  run: (path: string) => Promise<unknown>,
  others: Readonly<Record<string, Uint8Array>> = {},
): FileSubject {
  return {
    name,
    files: { [file]: content, ...others },
    attempt: { in: 'daemon', run: (folder) => run(join(folder, file)) },
  };
}

/** Models of every form and all formats of data, in workers. @param folder for what is made on the way */
export function workerSubjects(folder: string): readonly FileSubject[] {
  mkdirSync(folder, { recursive: true });
  const external: OnnxModel = layers();
  unwrap(writeModel(external, join(folder, 'external.onnx'), { externalData: 'external' }));
  const digits = readFileSync(DIGITS);
  const small = unwrap(encodeModel(layers()));
  const vector = passThrough('x', ['n', 4]);
  const pictures = { image: { channels: 'gray' }, scale: 1 / 240 } as const;
  const tokenizer = readFileSync(repository('test/fixtures/tokenizers/byte-level-bpe.json'));
  return [
    inspects('a model', digits),
    inspects('a small model', small),
    {
      ...inspects('a model with its data beside it', readFileSync(join(folder, 'external.onnx'))),
      files: {
        'model.onnx': readFileSync(join(folder, 'external.onnx')),
        'external.onnx.data': readFileSync(join(folder, 'external.onnx.data')),
      },
    },
    quantizes('a model to quantize', small, 'static-int8'),
    quantizes('a model to quantize as it runs', small, 'dynamic-int8'),
    quantizes('a model to quantize its weights', small, 'weight-int4'),
    quantizes('a model to make half of', small, 'float16'),
    evaluates(
      'an npz',
      vector,
      { 'data.npz': npz({ 'eval/x': float32Npy([3, 4], numbers(12)) }) },
      (at) => ({ path: join(at, 'data.npz') }),
      { split: 'eval' },
    ),
    evaluates(
      'a deflated npz',
      vector,
      { 'data.npz': npz({ 'eval/x': float32Npy([3, 4], numbers(12)) }, true) },
      (at) => ({ path: join(at, 'data.npz') }),
      { split: 'eval' },
    ),
    evaluates(
      'an npy with labels',
      vector,
      { 'data.npy': float32Npy([3, 4], numbers(12)), 'labels.npy': int64Npy([3], [0, 1, 2]) },
      (at) => ({ path: join(at, 'data.npy'), labels: { file: join(at, 'labels.npy') } }),
      { task: 'classification' },
    ),
    evaluates(
      'pictures with labels',
      digits,
      {
        'pictures/a.png': png(3),
        'pictures/b.png': png(7),
        'labels.csv': text('file,label\na.png,1\nb.png,2\n'),
      },
      (at) => ({
        path: join(at, 'pictures'),
        labels: { file: join(at, 'labels.csv') },
        preprocess: pictures,
      }),
      { task: 'classification' },
    ),
    evaluates(
      'idx files',
      digits,
      {
        'images-idx3-ubyte': idx(
          8,
          [3, 8, 8],
          Uint8Array.from(numbers(192), (share) => 255 * share),
        ),
        'labels-idx1-ubyte': idx(8, [3], Uint8Array.of(1, 2, 3)),
      },
      (at) => ({
        path: join(at, 'images-idx3-ubyte'),
        format: 'idx',
        labels: { file: join(at, 'labels-idx1-ubyte') },
        preprocess: { scale: 1 / 255, dims: [1, 8, 8] },
      }),
      { task: 'classification' },
    ),
    evaluates(
      'JSON lines',
      vector,
      { 'data.jsonl': text('{"x":[1,2,3,4],"label":1}\n{"x":[5,6,7,8],"label":0}\n') },
      (at) => ({ path: join(at, 'data.jsonl') }),
    ),
    evaluates(
      'requests of perf_analyzer',
      vector,
      { 'data.json': text({ data: [{ x: { content: [1, 2, 3, 4], shape: [4] } }, { x: [5, 6, 7, 8] }] }) },
      (at) => ({ path: join(at, 'data.json'), format: 'perf-analyzer' }),
    ),
    evaluates(
      "ONNX's test data",
      vector,
      {
        'sets/test_data_set_0/input_0.npy': float32Npy([1, 4], [1, 2, 3, 4]),
        'sets/test_data_set_1/input_0.npy': float32Npy([1, 4], [5, 6, 7, 8]),
      },
      (at) => ({ path: join(at, 'sets'), format: 'test-data-set' }),
    ),
    evaluates(
      'recordings',
      passThrough('audio', ['n', 64]),
      { 'sounds/a.wav': wav(), 'sounds/b.wav': wav() },
      (at) => ({ path: join(at, 'sounds'), preprocess: { audio: { length: 64 } } }),
    ),
    evaluates(
      'a tokenizer and texts',
      ofIds(),
      {
        'texts.jsonl': text('{"text":"three words here"}\n{"text":"and four more words"}\n'),
        'tokenizer/tokenizer.json': tokenizer,
      },
      (at) => ({
        path: join(at, 'texts.jsonl'),
        inputs: {
          ids: { from: 'text', tokenize: { tokenizer: join(at, 'tokenizer/tokenizer.json'), maxLength: 8 } },
        },
      }),
    ),
    evaluates(
      'a module',
      vector,
      {
        'data.jsonl': text('{"x":[1,2,3,4]}\n'),
        'mine.mjs': text(
          'export function preprocess({ fields }) {\n  const { data } = fields.x.tensor ?? fields.x;\n  return { x: { dims: [4], data: Float32Array.from(data, Number) } };\n}\n',
        ),
      },
      (at) => ({ path: join(at, 'data.jsonl'), module: join(at, 'mine.mjs') }),
    ),
  ];
}

const TRACES: Readonly<Record<string, string>> = {
  'arrivals.jsonl':
    '{"format":"ptq-agent-trace","version":1,"count":2}\n{"t_us":0,"sample":1}\n{"t_us":12.5,"sample":0}\n',
  'intervals.txt': '100\n200\n300\n',
  'mooncake.jsonl':
    '{"timestamp":0,"input_length":5,"output_length":2,"hash_ids":[1]}\n{"timestamp":7,"input_length":5,"output_length":2,"hash_ids":[1]}\n',
  'azure.csv':
    'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n',
};

/** Files that the daemon, or a command, reads itself. */
export function daemonSubjects(): readonly FileSubject[] {
  const profile = readFileSync(join(dirname(DIGITS), 'profile.yaml'));
  const full = text(`name: tiny
model: digits.onnx
data: { path: digits.npz, calibration: { split: train, samples: 64 }, labels: { kind: class }, onBadSample: skip }
task: { name: classification }
variants:
  - { name: int8, recipe: static-int8 }
  - { name: tuned, recipe: { format: static-int8, calibration: { method: percentile }, target: cpu } }
budget: { metric: top1, absolute: 0.01 }
bench: { threads: 1, suites: [smoke], scenarios: [{ scenario: server, rate: 100, duration: 5s }] }
schedule: { cron: "30 3 * * *" }
trace: { queries: 5 }
`);
  const others = {
    '=digits.onnx': readFileSync(DIGITS),
    '=digits.npz': readFileSync(DIGITS_DATA).subarray(0, 64),
  };
  const load = (path: string) => loadProfiles(dirname(path), [dirname(path)]);
  const settings = text(`listen: 127.0.0.1:0
profiles: p
dataDir: d
roots: [a, /b]
workers: { confinement: auto, maxSeconds: 60 }
sampler: { interval: 250ms }
traces: { logdir: t, maxCount: 5 }
`);
  const web = text(
    'tls_server_config: { cert_file: a.crt, key_file: a.key }\nbasic_auth_users: { me: $2b$10$aaaaaaaaaaaaaaaaaaaaaubbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb }\n',
  );
  return [
    inDaemon('the profile of the example', 'profile.yaml', profile, load, others),
    inDaemon('a profile with everything', 'profile.yaml', full, load, others),
    inDaemon('a suite', 'suite.yaml', readFileSync(repository('profiles/suites/mlperf-like.yaml')), (path) =>
      loadSuite(path, { folder: dirname(path), folders: [], roots: [dirname(path)] }),
    ),
    inDaemon('settings', 'settings.yaml', settings, (path) => loadSettings(path)),
    inDaemon('a web configuration', 'web.yaml', web, (path) => loadWebConfig(path)),
    inDaemon(
      'a recipe',
      'recipe.yaml',
      text('format: static-int8\ncalibration: { method: entropy, samples: 9 }\n'),
      (path) => loadRecipe(path),
    ),
    ...Object.entries(TRACES).map(([file, content]) =>
      inDaemon(`a trace, ${file}`, file, text(content), (path) => readArrivalTrace(path)),
    ),
  ];
}

/** Puts the files of a subject into a folder, with one of them changed. @returns which, and what it is now */
export function writeFiles(
  folder: string,
  { files }: FileSubject,
  change: (name: string, bytes: Uint8Array) => Uint8Array,
): void {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name.replace(/^=/, ''));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name.startsWith('=') ? bytes : change(name, bytes));
  }
}
