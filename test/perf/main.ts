import { availableParallelism } from 'node:os';
import { formatSeconds } from '../../src/core/units.ts';
import type { CalibrationMethod } from '../../src/quantization/recipe.ts';
import { benchAgainstPython } from './bench-against-python.ts';
import { calibrationMemory } from './calibration-memory.ts';
import { confinementCost } from './confinement-cost.ts';
import { evaluationThroughput } from './evaluation-throughput.ts';
import { gpuReadingCosts } from './gpu-readings.ts';
import { harnessOverhead } from './harness-overhead.ts';
import { hostileFiles } from './hostile-files.ts';
import { hostileRequests } from './hostile-requests.ts';
import { int8Latency } from './int8-latency.ts';
import { largeModel } from './large-model.ts';
import { measureMetricsStorm } from './metrics-storm.ts';
import { metricsUnderLoad } from './metrics-under-load.ts';
import { nodeCosts } from './node-costs.ts';
import { offlineThroughput } from './offline-throughput.ts';
import { onnxRewrite } from './onnx-rewrite.ts';
import { measurePeerParity } from './peer-parity-rows.ts';
import { memoryRow, type OnRow, type PerfRow, plainRow, ratioRow } from './perf-row.ts';
import { plantedSlowDown } from './planted-slow-down.ts';
import { quantizeCost } from './quantize-cost.ts';
import { quantizePeer } from './quantize-peer.ts';
import { recipeSearch } from './recipe-search.ts';
import { recipeSweep } from './recipe-sweep.ts';
import { renderCost } from './render-cost.ts';
import { renderHost, renderProgress, renderRows } from './render-rows.ts';
import { roofline } from './roofline.ts';
import { roundingLimits } from './rounding-limits.ts';
import { sameModel } from './same-model.ts';
import { sampledRanges } from './sampled-ranges.ts';
import { samplerCost } from './sampler-cost.ts';
import { type MemoryCourse, samplerLeak } from './sampler-leak.ts';
import { scrapeCosts } from './scrape-cost.ts';
import { timeline } from './timeline.ts';
import { traceEncode } from './trace-encode.ts';
import { traceMillion } from './trace-million.ts';
import { tracingCost } from './tracing-cost.ts';
import { tunedAccuracy } from './tuned-accuracy.ts';
import { tuningCost } from './tuning-cost.ts';
import { watchHistories } from './watch-histories.ts';

// Where it can be, a figure is a ratio to something measured in the same run, so that it means the same on every host. A target that is missed
// is shown and fails nothing: what a busy host says is no proof.

const MEASUREMENTS: Readonly<Record<string, (onRow: OnRow) => Promise<readonly PerfRow[]>>> = {
  'bench-against-python': benchAgainstPython,
  'calibration-memory': calibrationMemory,
  'evaluation-throughput': evaluationThroughput,
  'gpu-readings': measureGpuReadings,
  'harness-overhead': harnessOverhead,
  'int8-latency': int8Latency,
  'large-model': largeModel,
  'metrics-storm': measureMetricsStorm,
  'metrics-under-load': measureMetricsUnderLoad,
  'node-costs': nodeCosts,
  'offline-throughput': offlineThroughput,
  'onnx-rewrite': measureOnnxRewrite,
  'peer-parity': measurePeerParity,
  'planted-slow-down': plantedSlowDown,
  'quantize-cost': measureQuantizeCost,
  'quantize-peer': quantizePeer,
  'recipe-search': recipeSearch,
  'recipe-sweep': recipeSweep,
  roofline,
  'rounding-limits': roundingLimits,
  'sampled-ranges': sampledRanges,
  'same-model': sameModel,
  'sampler-cost': measureSamplerCost,
  'sampler-leak': measureSamplerLeak,
  timeline,
  'trace-encode': traceEncode,
  'trace-million': traceMillion,
  'tracing-cost': tracingCost,
  'tuned-accuracy': tunedAccuracy,
  'tuning-cost': tuningCost,
  'confinement-cost': confinementCost,
  'hostile-files': hostileFiles,
  'hostile-requests': hostileRequests,
  scrape: measureScrape,
  'watch-histories': watchHistories,
};

async function measureGpuReadings(): Promise<PerfRow[]> {
  const { nvmlSeconds, lineSeconds } = gpuReadingCosts();
  return [
    plainRow('NVML, a fake library', 'one reading of one GPU', formatSeconds(nvmlSeconds)),
    plainRow('nvidia-smi', 'one line', formatSeconds(lineSeconds)),
  ];
}

async function measureOnnxRewrite(): Promise<PerfRow[]> {
  return (await onnxRewrite()).flatMap((result) => {
    const subject = `${result.model}, ${(result.sizeBytes / 2 ** 30).toFixed(1)} GiB`;
    const copySeconds = result.copySeconds + result.syncSeconds;
    return [
      plainRow(subject, 'open the model', formatSeconds(result.openSeconds)),
      ratioRow(subject, 'rewrite / copy of the files', result.rewriteSeconds / copySeconds, 1.5),
      memoryRow(subject, 'memory above idle', result.peakRssBytes - result.idleRssBytes, 32),
    ];
  });
}

async function measureQuantizeCost(onRow: OnRow): Promise<PerfRow[]> {
  const rows: PerfRow[] = [];
  await quantizeCost((result) => {
    const subject = `${result.model}, ${result.method}`;
    const told = [
      ratioRow(
        subject,
        'calibration / FP32 run of the samples',
        result.calibrationRatio,
        mostCalibration(result.method),
      ),
      memoryRow(subject, 'memory above the FP32 run', result.extraPeakRssBytes, 150),
      plainRow(subject, 'quantize, all of it', formatSeconds(result.quantizeSeconds)),
      plainRow(subject, 'FP32 run of the samples', formatSeconds(result.runSeconds)),
    ];
    for (const row of told) onRow(row);
    rows.push(...told);
  });
  return rows;
}

/** Extremes are found inside the graph; methods that need a distribution also copy values out of it. */
function mostCalibration(method: CalibrationMethod): number {
  return method === 'minmax' || method === 'moving-average' ? 2 : 3;
}

const SCRAPES = 200;
const MOST_SCRAPE_MS = 50;

async function measureMetricsUnderLoad(): Promise<PerfRow[]> {
  const threads = availableParallelism();
  const { p50Ms, p99Ms, maxMs } = await metricsUnderLoad(SCRAPES, threads);
  const subject = `/metrics, ${threads} threads busy`;
  return [
    plainRow(subject, 'median', formatSeconds(p50Ms / 1e3)),
    {
      ...plainRow(subject, '99th percentile', formatSeconds(p99Ms / 1e3)),
      target: `≤ ${MOST_SCRAPE_MS} ms`,
      reached: p99Ms <= MOST_SCRAPE_MS,
    },
    plainRow(subject, `worst of ${SCRAPES}`, formatSeconds(maxMs / 1e3)),
  ];
}

const SERIES_SCRAPES = 500;
const MOST_SERIES_SCRAPE_MS = 20;
const RENDERED_SERIES = 5_000;

async function measureScrape(): Promise<PerfRow[]> {
  const threads = availableParallelism();
  const rendered = (await renderCost(RENDERED_SERIES, SERIES_SCRAPES)).flatMap(({ how, p50Ms, maxMs }) => ({
    ...plainRow(`${RENDERED_SERIES} series as text`, how, formatSeconds(p50Ms / 1e3)),
    detail: `worst of ${SERIES_SCRAPES}: ${formatSeconds(maxMs / 1e3)}`,
  }));
  const { costs, samplerCpuRatio, pingP99Ms, skipped } = await scrapeCosts(SERIES_SCRAPES, threads);
  return [
    ...rendered,
    ...costs.flatMap((cost) => {
      const subject = `${cost.exporter}, ${cost.series} series, ${threads} threads busy`;
      const p99 = plainRow(subject, '99th percentile', formatSeconds(cost.p99Ms / 1e3));
      const target = {
        target: `≤ ${MOST_SERIES_SCRAPE_MS} ms`,
        reached: cost.p99Ms <= MOST_SERIES_SCRAPE_MS,
      };
      return [
        {
          ...plainRow(subject, 'median of a scrape', formatSeconds(cost.p50Ms / 1e3)),
          detail: `${(cost.sizeBytes / 1024).toFixed(0)} KiB`,
        },
        cost.exporter.startsWith('ptq-agent') ? { ...p99, ...target } : p99,
        plainRow(subject, `worst of ${cost.scrapes}`, formatSeconds(cost.maxMs / 1e3)),
        {
          ...plainRow(subject, 'CPU a scrape', formatSeconds(cost.cpuMsPerScrape / 1e3)),
          detail: `${formatSeconds(cost.cpuMsPerScrape / cost.series)} for 1,000 series`,
        },
      ];
    }),
    plainRow('GET /-/healthy, same load', '99th percentile', formatSeconds(pingP99Ms / 1e3)),
    plainRow('ptq-agent', 'CPU of the sampler meanwhile, cores', samplerCpuRatio.toFixed(4)),
    ...skipped.map((reason) => plainRow('node_exporter', 'skipped', reason)),
  ];
}

const SAMPLER_SECONDS = 60;

/** Of one core, by the host's source. */
const MOST_SAMPLER_CPU: Readonly<Record<number, number>> = { 10: 0.005, 100: 0.03 };

async function measureSamplerCost(onRow: OnRow): Promise<PerfRow[]> {
  const rows: PerfRow[] = [];
  for (const perSecond of [10, 100]) {
    const cost = await samplerCost(perSecond, SAMPLER_SECONDS);
    const subject = `${perSecond} samples a second`;
    const told = [
      ...cost.sources.flatMap(({ source, cpuRatio, collectSeconds, samples, missedTicks }) => [
        source === 'host'
          ? ratioRow(subject, 'CPU of host, cores', cpuRatio, MOST_SAMPLER_CPU[perSecond] ?? 0)
          : plainRow(subject, `CPU of ${source}, cores`, cpuRatio.toFixed(4)),
        plainRow(subject, `collectors of ${source}, mean`, formatSeconds(collectSeconds)),
        plainRow(subject, `samples of ${source} (ticks missed)`, `${samples} (${missedTicks})`),
      ]),
      plainRow(subject, 'CPU of the daemon for it, cores', cost.parentCpuRatio.toFixed(4)),
      ...cost.floors.map(({ what, cpuRatio }) =>
        plainRow(subject, `CPU of ${what}, cores`, cpuRatio.toFixed(4)),
      ),
    ];
    for (const row of told) onRow(row);
    rows.push(...told);
  }
  return rows;
}

const LEAK_SAMPLES = 200_000;
const MOST_BYTES_PER_SAMPLE = 10;

async function measureSamplerLeak(): Promise<PerfRow[]> {
  const { samples, seconds, sampler, daemon } = await samplerLeak(LEAK_SAMPLES);
  const subject = `${samples} samples in ${formatSeconds(seconds)}`;
  const rowsOf = (process: string, { beforeBytes, afterBytes, slopeBytesPerSample }: MemoryCourse) => [
    {
      ...plainRow(
        subject,
        `${process}: slope of resident memory`,
        `${slopeBytesPerSample.toFixed(1)} B a sample`,
      ),
      target: `≤ ${MOST_BYTES_PER_SAMPLE} B`,
      reached: slopeBytesPerSample <= MOST_BYTES_PER_SAMPLE,
    },
    memoryRow(subject, `${process}: last quarter above the second`, afterBytes - beforeBytes, 2),
    memoryRow(subject, `${process}: resident at the end`, afterBytes, 256),
  ];
  return [...rowsOf('sampler', sampler), ...rowsOf('daemon', daemon)];
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const form = words.includes('--markdown') ? 'markdown' : 'plain';
  const wanted = words.filter((word) => word !== '--markdown');
  const unknown = wanted.find((name) => !Object.hasOwn(MEASUREMENTS, name));
  if (unknown !== undefined) {
    console.error(`there is no measurement '${unknown}'; there are: ${Object.keys(MEASUREMENTS).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  console.log(renderHost());
  for (const [name, measure] of Object.entries(MEASUREMENTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const start = performance.now();
    const rows = await measure((row) => console.error(renderProgress(row)));
    const title = form === 'markdown' ? `### ${name}` : name;
    console.log(`\n${title} (${formatSeconds((performance.now() - start) / 1e3)})\n`);
    console.log(renderRows(rows, form));
  }
}

await main();
