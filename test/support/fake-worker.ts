import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from './temporary-folder.ts';

/*
 * A worker that speaks the protocol and computes nothing. The name of the model's file says how it behaves:
 * `hang` never answers and ignores SIGTERM, `wait` never answers, `crash` exits with code 7 after some words, `killed`
 * kills itself, `refuse` reports a problem, `dies-in-round` kills itself at its first round, `leaks` keeps 4 MiB more after each round,
 * `slow` starts twice as slowly, `untraceable` cannot be traced, `silent` says nothing when it is to be. Others succeed.
 */
const SCRIPT = String.raw`
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

let model = '';
let rounds = 0;
let spool;
const kept = [];
const log = (what) => appendFileSync(fileURLToPath(import.meta.url) + '.log', what + ' ' + model + '\n');
const send = (message) => process.send(message);
const done = (value) => send({ kind: 'done', value });
const commands = {
  'warm-up': () => ({ queries: 3, durationNs: 3e6, steady: true, queriesPerSecond: 1000, firstRunNs: [1e6] }),
  round: () => {
    if (model === 'dies-in-round.onnx') process.kill(process.pid, 'SIGKILL');
    if (model === 'leaks.onnx') kept.push(Buffer.alloc(2 ** 22, 1));
    rounds += 1;
    const runs = Array.from({ length: 100 }, (_, run) => [run, run * 1e6, run * 1e6, run * 1e6, (run + 1) * 1e6 + run]);
    send({ kind: 'runs', records: Float64Array.from(runs.flat()) });
    return { startNs: BigInt(rounds) * 100_000_000n, plannedRuns: null, cpuSeconds: 0.1 };
  },
  finish: () => ({
    peakRssBytes: 2 ** 20, cpuSeconds: 1, cpus: '0', placement: null, arenaBytes: 4096,
    outputCheck: { compared: 1, equalBits: 1, maxAbsDifference: 0, maxRelativeDifference: 0, mismatches: [] },
  }),
};
const tasks = {
  digest: () => ({ modelDigest: 'a'.repeat(64), dataDigest: 'b'.repeat(64), modelSizeBytes: 1000 }),
  quantize: ({ outputPath, recipe, modelPath }) => {
    writeFileSync(outputPath, 'quantized');
    send({ kind: 'phase', span: { phase: 'calibrate', subject: 'int8', startNs: 1n, endNs: 2n } });
    send({ kind: 'progress', progress: { phase: 'calibrate', done: 1, total: 1, unit: 'samples' } });
    return {
      model: modelPath, output: outputPath, recipe, seconds: 0.5, peakRssBytes: 1,
      calibration: { method: 'minmax', samples: 16, seconds: 0.1, inferenceSeconds: 0.1, peakRssBytes: 1 },
      sizeBytes: { before: 1000, after: 300 },
      ops: { quantized: 2, float: [], fused: 2, notFused: [] },
      selfCheck: { samples: 8, sqnrDb: 30 }, warnings: [],
    };
  },
  evaluate: ({ candidates }) => candidates.map(({ variant, path }) => ({
    variant, model: path, task: 'classification', n: 50, sqnrDb: 30, cosine: 1, maxAbsError: 0, identical: false,
    outputs: [], nonFinite: { count: 0, indices: [] }, failed: { count: 0, indices: [] }, top1: 0.9, agreement: 0.96,
    reference: { top1: 0.92 }, allowedDrop: 0.05, verdict: 'non_inferior', verdictReason: 'good enough',
  })),
  // A model called float is one whose nodes are those of fp32.
  explain: ({ samples, top }) => model === 'float.onnx' ? { kind: 'moved' } : {
    kind: 'quantized', reference: 'fp32.onnx', candidate: 'int8.onnx', split: 'eval', samples, task: 'classification',
    whole: { sqnrDb: 30 }, simulated: { sqnrDb: 30 }, measured: { alone: top ?? 9, of: 9 },
    nodes: Array.from({ length: 9 }, (_, at) => ({
      node: 'conv' + at, op: 'Conv', depth: at, output: 'y' + at, inputs: ['x' + at], own: { sqnrDb: 40 },
      cause: 'weights', reason: 'why', advice: [], ...(at < (top ?? 9) ? { alone: { sqnrDb: at } } : {}),
    })),
    tensors: [], depth: [], unpaired: [], notes: [], seconds: 1, peakRssBytes: 1,
  },
  sut: ({ lanes, batch }) => ({ sampleCount: 4, samplesPerRun: batch, laneCount: lanes, loadSeconds: 0.1, idleEnergy: null }),
  'cold-start': () => {
    const times = model === 'slow.onnx' ? 2 : 1;
    return {
      takenNs: process.hrtime.bigint(), runtimeSeconds: 0.05, modelSeconds: 100 * times, feedsSeconds: 9,
      firstInferencesSeconds: [0.02 * times, 0.5], firstInferenceSeconds: 0.02 * times, runsToSteady: 3, secondsToSteady: 0.03,
      steadyMedianSeconds: 0.004 * times, steady: true, diskReadBytes: 0, peakRssBytes: 2 ** 20,
    };
  },
  // Peaks of seven threads are doubtful.
  peaks: ({ device, threads }) => ({
    device, threads, operationsPerSecond: { float32: 100e9, float16: null, int8: 400e9 },
    kernels: { float32: 'MatMul', float16: null, int8: 'MatMulInteger' },
    levels: [{ name: 'L2', capacityBytes: 1e6, bytesPerSecond: 50e9 }, { name: 'memory', capacityBytes: null, bytesPerSecond: 10e9 }],
    doubts: threads === 7 ? ['Other work on the host took 1 CPU core'] : [], notes: [], seconds: 3,
  }),
  'profile-operators': ({ runs }) => ({
    runs, seconds: 0.005 * runs, plainSeconds: 0.004 * runs, doubts: [],
    calls: [
      { op: 'Conv', form: '3×3', provider: 'CPUExecutionProvider', arithmetic: 'float32', calls: runs, seconds: 0.003 * runs, flops: 150e6, bytes: 1e6 },
      { op: 'Relu', form: '', provider: 'WebGpuExecutionProvider', arithmetic: 'float32', calls: runs, seconds: 0.001 * runs, flops: null, bytes: 5e6 },
    ],
  }),
  timeline: ({ file }) => {
    // The records of phases that have ended, by the layout in frame.ts.
    const bytes = readFileSync(file);
    const phases = [];
    for (let at = 12, length; at < bytes.length; at += 32 + length) {
      length = bytes.readUInt32LE(at + 4);
      if (bytes[at] !== 4) continue;
      const { phase, subject } = JSON.parse(bytes.toString('utf8', at + 32, at + 32 + length));
      phases.push({ phase, subject });
    }
    return { file, snapshots: 0, droppedSnapshots: 0, phases };
  },
};

process.on('disconnect', () => process.exit(0));
process.on('message', (request) => {
  if ('verb' in request) {
    log(request.verb);
    if (request.verb === 'trace') {
      spool = request.spool;
      if (model === 'silent.onnx') return;
      const problem = { kind: 'traced-already', message: 'it is traced already' };
      return send(model === 'untraceable.onnx' ? { kind: 'traced', parts: [], problem } : { kind: 'trace-begun', extraRssBytes: 0 });
    }
    if (request.verb === 'end-trace') {
      if (model === 'silent.onnx') return;
      const part = {
        modelId: spool.modelId, thread: spool.thread, phase: 'bench', device: 'cpu', pid: process.pid, baseNs: '0',
        startsNs: [0], endsNs: [1], firstRequest: 0,
      };
      return send({ kind: 'traced', parts: [part] });
    }
    return done(commands[request.verb](request.spec));
  }
  model = basename(request.modelPath ?? request.reference?.path ?? request.candidatePath ?? '');
  log(request.kind);
  if (request.states) log(request.kind + '-with-' + request.states.map(({ output }) => output));
  switch (model) {
    case 'hang.onnx':
      process.on('SIGTERM', () => log('SIGTERM'));
      send({ kind: 'progress', progress: { phase: 'load', done: 0, unit: 'bytes' } });
      return;
    case 'wait.onnx':
      send({ kind: 'progress', progress: { phase: 'load', done: 0, unit: 'bytes' } });
      return;
    case 'crash.onnx':
      process.stderr.write('loading\nfree(): invalid pointer\n', () => process.exit(7));
      return;
    case 'killed.onnx':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'refuse.onnx':
      send({ kind: 'failed', problem: { kind: 'not-onnx', message: 'this is no model', place: { file: 'refuse.onnx' } } });
      return;
    default:
      done(tasks[request.kind](request));
  }
});
`;

export interface FakeWorker {
  readonly entry: URL;
  /** What the workers were asked, as `task model` or `command model`, in order; `task-with-OUTPUT model` for carried states. */
  readonly requests: () => readonly string[];
}

/** Writes the entry of a fake worker into a folder that goes with the test. */
export function fakeWorker(): FakeWorker {
  const file = join(temporaryFolder(), 'fake-worker.mjs');
  writeFileSync(file, SCRIPT);
  const log = `${file}.log`;
  return {
    entry: pathToFileURL(file),
    requests: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}
