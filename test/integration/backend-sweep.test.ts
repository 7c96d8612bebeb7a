import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { encodeToBytes } from '../../src/onnx/encode.ts';
import { encodeModel } from '../../src/onnx/model-file.ts';
import { tensorSchema } from '../../src/onnx/schema.ts';
import { waveConstant } from '../support/constants.ts';
import { graph, model, node, value } from '../support/graph-builder.ts';
import {
  type BackendCase,
  findBackendModels,
  listBackendModels,
  skipWithoutBackendModels,
} from '../support/onnx-backend-models.ts';
import { runSweep, type SweepRow, sweepTable } from '../support/run-sweep.ts';
import type { SweepJob } from '../support/sweep-child.ts';
import { SWEEP_RECIPES, type SweepRecipeName } from '../support/sweep-recipes.ts';
import { SWEEP_FORMS } from '../support/sweep-subject.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const RECIPES = Object.keys(SWEEP_RECIPES) as SweepRecipeName[];
const HOURS = 3_600_000;

const folder = findBackendModels();

describe('every recipe, on the models of the backend tests', () => {
  skipWithoutBackendModels(folder);

  it.skipIf(folder === undefined)(
    'writes what runs as the original does, or says why not',
    { timeout: 3 * HOURS },
    async () => {
      const rows = await runSweep(jobsFor(listBackendModels(folder)));
      report(rows);
      expect(broken(rows)).toEqual([]);
    },
  );

  it('does so on two models that are always at hand', async () => {
    const rows = await runSweep(jobsFor(sampleCases()), { processes: 1 });
    expect(broken(rows)).toEqual([]);
    // The weights are inputs as given, so only float16 has something to do there.
    expect(written(rows, 'given')).toEqual(['float16', 'float16 edges too']);
    expect(written(rows, 'constants')).toEqual([...RECIPES].sort());
    expect(written(rows, 'between')).toEqual([...RECIPES].sort());
  });

  it('is told of a process that ends or hangs, and goes on with the next', async () => {
    const [first, second] = sampleCases() as [BackendCase, BackendCase];
    const recipes: readonly SweepRecipeName[] = ['float16', 'weight-int8'];
    const jobs = [first, second].map((entry) => ({ entry, form: 'given', recipes }) as const);
    const rows = await runSweep(jobs, { processes: 1, silenceMs: 3000, entry: faultyProgram() });
    expect(rows.map(({ subject, recipe, outcome }) => [subject, recipe, outcome])).toEqual([
      ['simple/conv (given)', 'float16', { result: 'broken', why: 'the process ended with 7. out of luck' }],
      ['simple/conv (given)', 'weight-int8', { result: 'written', quantized: 1 }],
      ['simple/gemm (given)', 'float16', { result: 'written', quantized: 1 }],
      ['simple/gemm (given)', 'weight-int8', { result: 'broken', why: 'the process ended with SIGKILL. ' }],
    ]);
  });
});

function jobsFor(entries: readonly BackendCase[]): readonly SweepJob[] {
  return entries.flatMap((entry) => SWEEP_FORMS.map((form) => ({ entry, form, recipes: RECIPES })));
}

function broken(rows: readonly SweepRow[]): readonly string[] {
  return rows.flatMap(({ subject, recipe, outcome }) =>
    outcome.result === 'broken' ? [`${subject}, ${recipe}: ${outcome.why}`] : [],
  );
}

/** Recipes that wrote something for one of the models, in one form. */
function written(rows: readonly SweepRow[], form: string): readonly string[] {
  const names = rows
    .filter(({ subject, outcome }) => subject.endsWith(`(${form})`) && outcome.result === 'written')
    .map(({ recipe }) => recipe);
  return [...new Set(names)].sort();
}

/** The table on stdout, and every row in the file that PTQ_SWEEP_ROWS names. */
function report(rows: readonly SweepRow[]): void {
  process.stdout.write(`\n${sweepTable(rows)}\n`);
  const file = process.env['PTQ_SWEEP_ROWS'];
  if (file !== undefined) writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** A Conv and a Gemm whose weights are fed, as they are in most backend tests, in files of their own. */
function sampleCases(): readonly BackendCase[] {
  const home = temporaryFolder();
  const conv = {
    inputs: { x: [1, 3, 8, 8], w: [4, 3, 3, 3] },
    nodes: [node('Conv', ['x', 'w'], ['c']), node('Relu', ['c'], ['y'])],
    output: [1, 4, 6, 6],
  };
  const gemm = {
    inputs: { x: [2, 128], w: [128, 64], b: [64] },
    nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])],
    output: [2, 64],
  };
  return Object.entries({ conv, gemm }).map(([name, { inputs, nodes, output }]) => {
    const directory = join(home, name);
    mkdirSync(directory);
    const ports = Object.entries(inputs);
    const given = graph({
      inputs: ports.map(([input, dims]) => value(input, 'float', dims)),
      nodes,
      outputs: [value('y', 'float', output)],
    });
    const modelPath = join(directory, 'model.onnx');
    writeFileSync(modelPath, unwrap(encodeModel(model(given))));
    const files = ports.map(([input, dims], index) => {
      const file = join(directory, `input_${index}.pb`);
      writeFileSync(file, encodeToBytes(tensorSchema, { ...waveConstant(input, dims) }));
      return file;
    });
    return { kind: 'simple', name, modelPath, dataSets: [{ inputs: files, outputs: [] }] };
  });
}

/** Ends at the first recipe that it begins, and hangs at the fourth. */
function faultyProgram(): URL {
  const home = temporaryFolder();
  const file = join(home, 'faulty.mjs');
  writeFileSync(
    file,
    `import { appendFileSync, readFileSync } from 'node:fs';
    const log = ${JSON.stringify(join(home, 'log'))};
    const send = (message) => new Promise((resolve) => process.send(message, resolve));
    process.on('message', async (jobs) => {
      for (const [job, { recipes }] of jobs.entries()) {
        for (const recipe of recipes) {
          await send({ kind: 'begin', job, recipe });
          appendFileSync(log, 'x');
          const begun = readFileSync(log, 'utf8').length;
          if (begun === 1) process.stderr.write('out of luck', () => process.exit(7));
          if (begun === 1 || begun === 4) await new Promise(() => {});
          await send({ kind: 'end', job, recipe, outcome: { result: 'written', quantized: 1 } });
        }
      }
      process.exit(0);
    });`,
  );
  return pathToFileURL(file);
}
