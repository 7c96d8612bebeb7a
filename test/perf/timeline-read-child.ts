import { peakRssBytes } from '../../src/jobs/process-memory.ts';
import { readSeriesView } from '../../src/jobs/series-task.ts';
import { summarizeTimelineFile } from '../../src/jobs/summarize-timeline-file.ts';

// Reads a timeline once, in a process of its own so that its memory can be told.
// usage: timeline-read-child.ts FILE summary | timeline-read-child.ts FILE POINTS [COLUMNS [FROM TO]]

const [, , file = '', what = '', columns, from, to] = process.argv;
const before = peakRssBytes();
const start = performance.now();
if (what === 'summary') await summarizeTimelineFile(file);
else {
  await readSeriesView(file, {
    points: Number(what),
    rates: true,
    ...(columns === undefined || columns === '' ? {} : { columns: columns.split(',') }),
    ...(from === undefined ? {} : { fromSeconds: Number(from), toSeconds: Number(to) }),
  });
}
const seconds = (performance.now() - start) / 1e3;
process.stdout.write(JSON.stringify({ seconds, extraBytes: peakRssBytes() - before }));
