import { openModel } from '../../src/jobs/open-model.ts';
import { openTaskData, type TaskData } from '../../src/jobs/task-data.ts';

// Loads a model and the feeds of all samples, says so, and when it is told runs the model on them over and over.
// usage: preloaded-run-child.ts {"modelPath","data","threads","passes"}

interface PreloadedRun {
  readonly modelPath: string;
  readonly data: TaskData;
  readonly threads: number;
  readonly passes: number;
}

const { modelPath, data, threads, passes } = JSON.parse(process.argv[2] ?? '') as PreloadedRun;
const session = await openModel(modelPath, threads);
const source = await openTaskData(data, session, {});
const runs: (() => Promise<void>)[] = [];
for await (const { feeds } of source.samples()) runs.push(session.prepare(feeds));
for (const run of runs.slice(0, 10)) await run();
process.once('message', () => void measure());
process.send?.({ ready: runs.length });

async function measure(): Promise<void> {
  const start = performance.now();
  for (let pass = 0; pass < passes; pass += 1) for (const run of runs) await run();
  process.send?.({ samples: passes * runs.length, seconds: (performance.now() - start) / 1e3 }, () =>
    process.exit(0),
  );
}
