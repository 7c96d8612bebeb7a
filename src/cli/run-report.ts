import { basename, dirname } from 'node:path';
import { formatSpeedUp } from '../benchmark/compare.ts';
import type { Profile } from '../config/profile.ts';
import { PROFILE_SUITE } from '../config/suite.ts';
import { formatBytes, formatSeconds } from '../core/units.ts';
import type { SuiteBenchResult } from '../jobs/bench-suite.ts';
import { FP32, type PipelineResult, type VariantOutcome } from '../jobs/pipeline.ts';
import type { PhaseSummary } from '../telemetry/summary/phase-summary.ts';
import { nodesLine } from './quantize-report.ts';
import { decimal, percent, renderTable } from './table.ts';
import { columnsOf } from './timeline-report.ts';

interface ReportContext {
  readonly profile: Profile;
  readonly dataDir: string;
  /** A path as the reader would type it. */
  readonly here: (file: string) => string;
}

const HEADER = [
  'variant',
  'size',
  'accuracy',
  '95 % interval',
  'agreement',
  'SQNR dB',
  'p50',
  'p99',
  'samples/s',
  'peak memory',
  'speed-up',
  'verdict',
];

/** What a person wants to know after a run: the table, why the verdicts, what the host did, where to look next. */
export function renderRun(result: PipelineResult, context: ReportContext): string {
  return [renderFindings(result), ...watchLines(result, context), '', ...whereToLook(result, context)].join(
    '\n',
  );
}

/** The table of the variants, and why the verdicts: what can be told wherever the run took place. */
export function renderFindings(result: PipelineResult): string {
  const reference = result.variants.flatMap(({ evaluation }) => evaluation ?? [])[0];
  const rows = result.variants.map((outcome) => toRow(outcome, reference));
  return [
    '',
    `${result.model} on ${result.host.cpuModel}, ${result.host.logicalCpus} CPUs, ONNX Runtime ${result.host.onnxRuntimeVersion}, in ${formatSeconds(result.seconds)}`,
    '',
    renderTable(HEADER, rows),
    '',
    ...suiteLines(result),
    ...result.variants.flatMap(verdictLines),
    ...result.variants.flatMap(benchNotes),
    ...result.variants.flatMap(slowdownNotes),
  ].join('\n');
}

/** Of the metric that was judged by, or the first that has a value; the reference's own in its row. */
function accuracyColumns(
  evaluation: VariantOutcome['evaluation'],
  reference: VariantOutcome['evaluation'],
): [string, string] {
  const { figures = [], metric } = evaluation ?? reference ?? {};
  const figure = figures.find(({ name }) => name === metric) ?? figures.find((any) => any.reference !== null);
  if (figure === undefined) return ['–', '–'];
  const isProportion = figure.unit === 'proportion';
  const text = (value: number | null) =>
    value === null ? '–' : isProportion ? percent(value) : String(Number(value.toPrecision(4)));
  const interval = evaluation === undefined ? figure.referenceInterval : figure.interval;
  const ends = interval === null ? [] : [interval.lower, interval.upper];
  return [
    text(evaluation === undefined ? figure.reference : figure.value),
    interval === null
      ? '–'
      : isProportion
        ? `${ends.map((end) => (end * 100).toFixed(2)).join('–')} %`
        : ends.map(text).join('–'),
  ];
}

function toRow(outcome: VariantOutcome, reference: VariantOutcome['evaluation']): string[] {
  const { variant, sizeBytes, evaluation, speedUps } = outcome;
  const singleStream = byScenario(outcome.bench, 'single-stream');
  const offline = byScenario(outcome.bench, 'offline');
  const latency = (singleStream ?? offline)?.latencySeconds;
  const time = (seconds: number | null | undefined) => (seconds == null ? '–' : formatSeconds(seconds));
  const [speedUp] = speedUps;
  return [
    variant,
    formatBytes(sizeBytes),
    ...accuracyColumns(evaluation, reference),
    evaluation === undefined ? '–' : percent(evaluation.agreement),
    evaluation === undefined ? '–' : evaluation.identical ? 'identical' : decimal(evaluation.sqnrDb, 1),
    time(latency?.p50),
    time(latency?.p99),
    decimal((offline ?? singleStream)?.throughput, 0),
    singleStream?.peakRssBytes == null ? '–' : formatBytes(singleStream.peakRssBytes),
    speedUp === undefined ? '–' : formatSpeedUp(speedUp),
    // Not every order evaluates what it makes or measures.
    evaluation?.verdict ?? (variant === FP32 ? 'reference' : '–'),
  ];
}

function byScenario(
  bench: readonly SuiteBenchResult[],
  scenario: SuiteBenchResult['scenario'],
): SuiteBenchResult | undefined {
  return bench.find((result) => result.scenario === scenario);
}

function verdictLines({ variant, evaluation, quantization }: VariantOutcome): string[] {
  const notes = [
    ...(evaluation === undefined ? [] : [`${variant}: ${evaluation.verdictReason}`]),
    ...(quantization?.search === undefined
      ? []
      : [
          `${variant}: a search among ${quantization.search.candidates.length} candidates chose ${quantization.search.choice.label}, because ${quantization.search.choice.reason}`,
        ]),
    ...(quantization === undefined
      ? []
      : [
          `${variant}: ${nodesLine(quantization)}, ` +
            (quantization.reused
              ? 'artifact taken from an earlier run'
              : `made in ${formatSeconds(quantization.seconds)}`),
        ]),
  ];
  return notes;
}

/** What was measured beyond the two scenarios that have columns of their own above. */
function suiteLines({ variants }: PipelineResult): string[] {
  const rows = variants.flatMap(({ variant, bench, speedUps }) =>
    bench.flatMap((result, index) => {
      if (result === byScenario(bench, 'single-stream') || result === byScenario(bench, 'offline')) return [];
      const time = (seconds: number | null | undefined) => (seconds == null ? '–' : formatSeconds(seconds));
      const { queries, latencySeconds, throughput } = result;
      const speedUp = speedUps[index];
      return [
        [
          nameOf(result),
          variant,
          String(queries),
          time(latencySeconds?.p50),
          time(latencySeconds?.p90),
          time(latencySeconds?.p99),
          decimal(throughput, 0),
          speedUp === undefined ? '–' : formatSpeedUp(speedUp),
        ],
      ];
    }),
  );
  if (rows.length === 0) return [];
  const header = ['measurement', 'variant', 'queries', 'p50', 'p90', 'p99', 'samples/s', 'speed-up'];
  // By measurement, so that variants stand side by side; the order within one stays.
  rows.sort(([a = ''], [b = '']) => a.localeCompare(b));
  return [renderTable(header, rows), ''];
}

function benchNotes({ variant, bench }: VariantOutcome): string[] {
  return bench.flatMap((result) =>
    result.invalidReasons.map((reason) => `${variant}, ${nameOf(result)}: not valid: ${reason}`),
  );
}

function nameOf(result: SuiteBenchResult | undefined): string {
  if (result === undefined) return '';
  return result.suite === PROFILE_SUITE ? result.measurement : `${result.suite}: ${result.measurement}`;
}

/** A smaller model that is slower than its original is a surprise worth a line of its own. */
function slowdownNotes({ variant, bench, speedUps }: VariantOutcome): string[] {
  return speedUps.flatMap((speedUp, index) =>
    speedUp.outcome === 'slower'
      ? [`${variant}, ${nameOf(bench[index])}: slower than fp32 on this host, ${formatSpeedUp(speedUp)}`]
      : [],
  );
}

const WATCH_HEADER = ['phase', 'time', 'snapshots', 'CPU busy', 'workers peak', 'RAM left', 'disk written'];

/** What only some hosts can tell, where this one does. */
const EXTRA = new Set(['GPU busy', 'VRAM ours', 'CPU energy', 'GPU energy', 'throttled']);

function extraColumns(phases: readonly PhaseSummary[]) {
  return columnsOf(phases).filter(({ title }) => EXTRA.has(title));
}

function watchLines({ timeline }: PipelineResult, { here }: ReportContext): string[] {
  if (timeline === undefined) return [];
  const extra = extraColumns(timeline.phases);
  const rows = timeline.phases.map((summary) => {
    const { phase, subject, seconds, samples, cpu, memory, processes, disks } = summary;
    return [
      subject === undefined ? phase : `${phase} ${subject}`,
      formatSeconds(seconds),
      String(samples),
      cpu === undefined ? '–' : percent(cpu.busyRatio),
      processes === undefined ? '–' : formatBytes(processes.rssPeakBytes),
      memory === undefined ? '–' : formatBytes(memory.availableMinBytes),
      disks === undefined ? '–' : formatBytes(disks.writtenBytes),
      ...extra.map(({ text }) => text(summary) ?? '–'),
    ];
  });
  return [
    '',
    `watched (${timeline.snapshots} snapshots in ${here(timeline.file)})`,
    renderTable([...WATCH_HEADER, ...extra.map(({ title }) => title)], rows),
  ];
}

function whereToLook(result: PipelineResult, { profile, dataDir, here }: ReportContext): string[] {
  const made = result.variants.flatMap(({ variant, quantization }) =>
    quantization === undefined ? [] : [`  ${variant.padEnd(9)}${here(quantization.output)}`],
  );
  const serve = `npx ptq-agent serve --data-dir ${dataDir} --profiles ${here(profilesFolder(profile)) || '.'}`;
  return [
    'where to look',
    ...made,
    ...traceLines(result, here),
    `  daemon   ${serve}`,
    '  page     http://127.0.0.1:9477, while the daemon runs',
    '  metrics  curl http://127.0.0.1:9477/metrics',
    `  API      curl -X POST http://127.0.0.1:9477/bench -H "authorization: Bearer $(cat ${dataDir}/token)" -H 'content-type: application/json' -d '{"model":"${result.model}"}'`,
  ];
}

/** Where the trace lies, or why there is none. */
function traceLines({ trace }: PipelineResult, here: ReportContext['here']): string[] {
  if (trace === undefined) return [];
  const warnings = trace.warnings.map((warning) => `  trace    ${warning}`);
  if (trace.path === null || trace.perfettoPath === null) return ['  trace    none is made', ...warnings];
  // LOGDIR/plugins/profile/RUN/FILE
  const logdir = dirname(dirname(dirname(dirname(trace.path))));
  return [
    `  trace    ${here(trace.path)} (tensorboard --logdir ${here(logdir)})`,
    `           ${here(trace.perfettoPath)} (on ui.perfetto.dev)`,
    ...warnings,
  ];
}

/** Where a daemon finds this profile: profiles are files of a folder, or `profile.yaml` one level below it. */
function profilesFolder({ file }: Profile): string {
  return basename(file) === 'profile.yaml' ? dirname(dirname(file)) : dirname(file);
}
