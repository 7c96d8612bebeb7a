import { readFileSync } from 'node:fs';
import { readModel } from '../../src/onnx/model-file.ts';
import { summarizeModel } from '../../src/onnx/summary.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { unwrap } from '../support/unwrap.ts';

// Opens, walks and rewrites one model in a process of its own, so that the peak memory is that of this work alone.

function peakRssBytes(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

const [source = '', target = ''] = process.argv.slice(2);
const idleRssBytes = peakRssBytes();
const start = performance.now();
const model = unwrap(readModel(source));
const opened = performance.now();
const { parameters } = summarizeModel(model);
const walked = performance.now();
const written = unwrap(writeModel(model, target));
const rewritten = performance.now();
process.stdout.write(
  JSON.stringify({
    parameterBytes: parameters.sizeBytes,
    sizeBytes: written.sizeBytes + written.externalSizeBytes,
    openSeconds: (opened - start) / 1e3,
    walkSeconds: (walked - opened) / 1e3,
    rewriteSeconds: (rewritten - walked) / 1e3,
    idleRssBytes,
    peakRssBytes: peakRssBytes(),
  }),
);
