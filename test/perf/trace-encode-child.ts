import { statSync } from 'node:fs';
import { peakRssBytes } from '../../src/jobs/process-memory.ts';
import { writePerfettoFile, writeXSpaceFile } from '../../src/trace/write-trace.ts';
import { largeTrace } from '../support/large-trace.ts';

// Writes a large trace once, in a process of its own so that its memory can be told.
// usage: trace-encode-child.ts xspace|perfetto OPERATORS FILE

const [, , format = '', operators = '', file = ''] = process.argv;
const trace = largeTrace(Number(operators));
const before = peakRssBytes();
const start = performance.now();
await (format === 'xspace' ? writeXSpaceFile : writePerfettoFile)(trace, file);
const seconds = (performance.now() - start) / 1e3;
const sizeBytes = statSync(file).size;
process.stdout.write(
  JSON.stringify({ seconds, sizeBytes, peakBytes: peakRssBytes(), extraBytes: peakRssBytes() - before }),
);
