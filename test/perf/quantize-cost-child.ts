import { systemClock } from '../../src/core/clock.ts';
import { openSamples } from '../../src/data/open-samples.ts';
import { peakRssBytes } from '../../src/jobs/process-memory.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import type { QuantizeTask } from '../../src/jobs/quantize-task.ts';
import { openSession } from '../../src/runtime/session.ts';
import { unwrap } from '../support/unwrap.ts';

// Quantizes a model, or only runs it over the same samples, in a process of its own, so that its peak memory is that of this
// work alone. Both ways load the same modules.

/** Compiled, as a thread cannot be started from TypeScript. */
const SESSION_ENTRY = new URL('../../dist/jobs/session-thread-main.js', import.meta.url);

/** Seconds that the model takes for the samples that calibration reads, reading them included. */
async function runModel({ modelPath, data, recipe, threads }: QuantizeTask): Promise<number> {
  if (data === undefined || recipe.format !== 'static-int8') throw new Error('only static-int8 is measured');
  const session = unwrap(await openSession(modelPath, { intraOpThreads: threads }));
  const { samples: limit } = recipe.calibration;
  const options = {
    split: data.split,
    modelInputs: session.inputs,
    ...(limit === undefined ? {} : { limit }),
  };
  const source = unwrap(await openSamples(data.spec, options));
  const start = performance.now();
  for await (const { feeds } of source.samples()) await session.run(feeds);
  const seconds = (performance.now() - start) / 1e3;
  await source.close();
  await session.close();
  return seconds;
}

/** Without what loading the modules has taken. */
const cpuBefore = process.cpuUsage();

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage(cpuBefore);
  return (user + system) / 1e6;
}

const [mode, json = ''] = process.argv.slice(2);
const task = JSON.parse(json) as QuantizeTask;
if (mode === 'run') {
  const seconds = await runModel(task);
  process.stdout.write(JSON.stringify({ seconds, cpuSeconds: cpuSeconds(), peakRssBytes: peakRssBytes() }));
} else {
  const context = { clock: systemClock, emit: () => {}, sessionEntry: SESSION_ENTRY };
  const { seconds, calibration } = await quantizeModel(task, context);
  const calibrationSeconds = calibration?.seconds;
  process.stdout.write(
    JSON.stringify({ seconds, cpuSeconds: cpuSeconds(), calibrationSeconds, peakRssBytes: peakRssBytes() }),
  );
}
