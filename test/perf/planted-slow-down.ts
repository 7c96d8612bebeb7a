import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatRatio, type SpeedUp } from '../../src/benchmark/compare.ts';
import { geometricMeanInterval } from '../../src/benchmark/confidence-interval.ts';
import { benchSettings } from '../../src/benchmark/settings.ts';
import { compareLatency } from '../../src/jobs/compare-latency.ts';
import { generateFeeds } from '../../src/jobs/generated-feeds.ts';
import { processCpuSeconds } from '../../src/jobs/process-memory.ts';
import { readModel } from '../../src/onnx/model-file.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { openSession } from '../../src/runtime/session.ts';
import { node, tensor, value } from '../support/graph-builder.ts';
import { unwrap } from '../support/unwrap.ts';
import { bundledSubject } from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { compareInFull } from './same-model.ts';

const COMPARISONS = Number(process.env['PTQ_COMPARISONS'] ?? 20);
const SLOW_DOWN = 1.05;
const PIXELS = 64;
/** Columns from whose cost that of others is reckoned. */
const TRIED_COLUMNS = 16_384;

/**
 * The bundled model against itself with a matrix product beside it that makes it 5 % slower: how often that is found at the
 * default duration.
 */
export async function plantedSlowDown(onRow: OnRow): Promise<readonly PerfRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-agent-perf-'));
  try {
    return await compareWithSlower(folder, onRow);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareWithSlower(folder: string, onRow: OnRow): Promise<readonly PerfRow[]> {
  const { name, modelPath } = bundledSubject();
  const tried = writeWithProduct(modelPath, join(folder, 'tried.onnx'), TRIED_COLUMNS);
  const columns = Math.round((TRIED_COLUMNS * (SLOW_DOWN - 1)) / ((await costRatio(modelPath, tried)) - 1));
  const slower = writeWithProduct(modelPath, join(folder, 'slower.onnx'), columns);
  const planted = await costRatio(modelPath, slower);
  onRow(plainRow(name, 'planted, by processor time in one process', `${planted.toFixed(3)}x`));
  const found: SpeedUp[] = [];
  for (let seed = 0; seed < COMPARISONS; seed++) {
    found.push(await compareInFull([modelPath, slower], unwrap(benchSettings({ seed }))));
    onRow(plainRow(name, `comparison ${seed + 1}`, `${formatRatio(found[seed] as SpeedUp)}`));
  }
  const ratios = found.flatMap(({ ratio }) => (ratio === null ? [] : 1 / ratio));
  const count = (outcome: SpeedUp['outcome']) => found.filter((one) => one.outcome === outcome).length;
  return [
    plainRow(name, 'slow-down over all comparisons', formatInterval(ratios)),
    {
      subject: name,
      figure: `a slow-down of ${((SLOW_DOWN - 1) * 100).toFixed(0)} % found`,
      value: `${count('slower')} of ${COMPARISONS}, ${count('faster')} taken for faster`,
      target: '≥ 80 %',
      reached: count('slower') >= 0.8 * COMPARISONS && count('faster') === 0,
    },
  ];
}

/** The model with the product of its input and a matrix of so many columns as a further output. */
function writeWithProduct(modelPath: string, path: string, columns: number): string {
  const { proto } = unwrap(readModel(modelPath));
  const body = proto.graph;
  const input = body?.input[0]?.name;
  if (body === undefined || input === undefined) throw new Error(`${modelPath} has no input`);
  const weights = Array.from({ length: PIXELS * columns }, (_, index) => Math.sin(index));
  const graph = {
    ...body,
    node: [
      ...body.node,
      node('Flatten', [input], ['planted_rows']),
      node('MatMul', ['planted_rows', 'planted_weights'], ['planted_products']),
      node('ReduceMax', ['planted_products'], ['planted'], { axes: [1], keepdims: 0 }),
    ],
    initializer: [...body.initializer, tensor('planted_weights', [PIXELS, columns], weights)],
    output: [...body.output, value('planted', 'float', ['N'])],
  };
  unwrap(writeModel({ path: undefined, proto: { ...proto, graph } }, path));
  return path;
}

/** How many times as much processor time a run of the second takes. */
async function costRatio(basePath: string, candidatePath: string): Promise<number> {
  const open = async (path: string) => {
    const session = unwrap(await openSession(path, { intraOpThreads: 1 }));
    const feeds = generateFeeds(session.inputs);
    if (feeds === undefined) throw new Error(`${path} takes texts`);
    return session.prepare(feeds);
  };
  const [base, candidate] = [await open(basePath), await open(candidatePath)];
  const { speedUp } = await compareLatency(
    async () => void (await base()),
    async () => void (await candidate()),
    { cpuSeconds: processCpuSeconds, budgetSeconds: 8, confidence: 0.95 },
  );
  return 1 / speedUp.estimate;
}

function formatInterval(ratios: readonly number[]): string {
  const interval = geometricMeanInterval(ratios, 0.95);
  if (interval === null) return 'too few';
  const { estimate: ratio, lower, upper } = interval;
  return formatRatio({ ratio, lower, upper });
}
