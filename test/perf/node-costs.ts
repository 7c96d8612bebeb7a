import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { explainModels } from '../../src/jobs/explain/explain-models.ts';
import type { ExplainedNode } from '../../src/jobs/explain/explanation.ts';
import { quantizeModel } from '../../src/jobs/quantize-model.ts';
import { completeRecipe } from '../../src/quantization/recipe.ts';
import { BASELINE_MODELS, findSubjects, type PeerSubject } from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const SAMPLES = 64;
const WORST = 12;

/**
 * Where the limit of a tuned model lies: what the roundings of each node alone cost at the outputs, by `explain` on the evaluation split,
 * of a model tuned with `fast` that is int8 throughout. The costliest nodes one by one, the others as the sum of their noise,
 * and beside the sum of all what the model really has.
 */
export async function nodeCosts(onRow: OnRow): Promise<readonly PerfRow[]> {
  const rows: PerfRow[] = [];
  for (const subject of findSubjects(BASELINE_MODELS, (why) => console.error(why))) {
    const told = await costsOf(subject);
    told.forEach(onRow);
    rows.push(...told);
  }
  return rows;
}

async function costsOf({ name, modelPath, dataPath }: PeerSubject): Promise<readonly PerfRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'ptq-node-costs-'));
  const context = { clock: systemClock, emit: () => {} };
  try {
    const { output } = await quantizeModel(
      {
        kind: 'quantize',
        modelPath,
        outputPath: join(scratch, 'int8.onnx'),
        data: { spec: { path: dataPath }, split: 'calib' },
        recipe: completeRecipe({ format: 'static-int8', latencyGate: 'off', tune: 'fast' }),
        threads: 0,
      },
      context,
    );
    const explained = await explainModels(
      {
        kind: 'explain',
        referencePath: modelPath,
        candidatePath: output,
        data: { spec: { path: dataPath }, split: 'eval' },
        samples: SAMPLES,
        task: { name: 'fidelity', settings: {} },
        taskIsNamed: true,
        scratch,
        threads: 0,
      },
      context,
    );
    if (explained.kind !== 'quantized') throw new Error(`${output} is not quantized`);
    const { nodes, whole, simulated } = explained;
    return [
      plainRow(name, 'as it is', decibels(whole.sqnrDb)),
      plainRow(name, 'all roundings in float32', decibels(simulated.sqnrDb)),
      ...nodeRows(name, nodes),
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function nodeRows(subject: string, nodes: readonly ExplainedNode[]): readonly PerfRow[] {
  const costs = nodes
    .map(({ node, op, alone, cause }) => ({ node, op, cause, noise: noiseOf(alone?.sqnrDb) }))
    .toSorted((a, b) => b.noise - a.noise);
  const sum = (of: readonly { readonly noise: number }[]) => of.reduce((all, { noise }) => all + noise, 0);
  const total = sum(costs);
  const share = (noise: number) => `${((100 * noise) / total).toFixed(1)} %`;
  const others = costs.slice(WORST);
  return [
    plainRow(subject, `sum of all ${costs.length} nodes alone`, decibels(-10 * Math.log10(total))),
    ...costs.slice(0, WORST).map(({ node, op, cause, noise }) => ({
      ...plainRow(subject, `${op} ${node}`, decibels(-10 * Math.log10(noise))),
      detail: `${share(noise)}, ${cause}`,
    })),
    {
      ...plainRow(
        subject,
        `the other ${others.length} nodes together`,
        decibels(-10 * Math.log10(sum(others))),
      ),
      detail: share(sum(others)),
    },
  ];
}

/** Over the signal; 0 where nothing was lost. */
function noiseOf(sqnrDb: number | null | undefined): number {
  return typeof sqnrDb === 'number' ? 10 ** (-sqnrDb / 10) : 0;
}

function decibels(value: number | null): string {
  return value === null || !Number.isFinite(value) ? 'no loss' : `${value.toFixed(1)} dB`;
}
