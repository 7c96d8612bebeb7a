import { Command, Option } from 'commander';
import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { QuantizeReport } from '../../jobs/quantize-task.ts';
import { runQuantization } from '../../jobs/run-quantization.ts';
import { CALIBRATION_METHODS, type CalibrationMethod, STATIC_INT8 } from '../../quantization/recipe.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { list, percentile, positiveInteger, threadCount } from '../option-parsers.ts';
import { createProgressView } from '../progress.ts';
import { requireOptions } from '../required-options.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface QuantizeOptions {
  readonly output: string;
  readonly calibration: string;
  readonly split: string;
  readonly method: CalibrationMethod;
  readonly percentile?: number;
  readonly samples?: number;
  readonly perTensor: boolean;
  readonly reduceRange: 'auto' | 'on' | 'off';
  readonly exclude: readonly string[];
  readonly excludeOp: readonly string[];
  readonly threads: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function quantizeCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const command = new Command('quantize')
    .description('quantize a float32 model to INT8 with calibration on your own data')
    .argument('<model>', 'the ONNX model')
    .option('-o, --output <file>', 'required: where the quantized model goes')
    .option('--calibration <data.npz>', 'required: calibration data, arrays named <split>/<input>')
    .addOption(
      new Option('--recipe <name>', 'how to quantize').choices(['static-int8']).default('static-int8'),
    )
    .addOption(
      new Option('--method <name>', 'how observed activations become ranges')
        .choices(CALIBRATION_METHODS)
        .default(STATIC_INT8.calibration.method),
    )
    .option('--percentile <percent>', 'for --method percentile: the per cent of values kept', percentile)
    .option('--split <name>', 'the split that calibrates', 'calib')
    .option('--samples <n>', 'use at most so many samples', positiveInteger)
    .option('--per-tensor', 'one weight scale a tensor instead of one a channel', false)
    .addOption(
      new Option(
        '--reduce-range <when>',
        'seven-bit weights; auto: where 8-bit products saturate on this CPU',
      )
        .choices(['auto', 'on', 'off'])
        .default('auto'),
    )
    .option('--exclude <nodes>', 'node names that stay float, comma-separated, * matches any run', list, [])
    .option('--exclude-op <types>', 'operator types that stay float, comma-separated', list, [])
    .option('--threads <n>', 'threads of the runtime while calibrating; 0 is every core', threadCount, 0)
    .option('--json', 'print the report as JSON', false)
    .option('-q, --quiet', 'no progress', false)
    .action(async (model: string, options: QuantizeOptions) =>
      exit(await quantize(model, options, terminal)),
    );
  return requireOptions(command, ['--output', '--calibration']);
}

async function quantize(model: string, options: QuantizeOptions, terminal: Terminal): Promise<number> {
  const progress = createProgressView(terminal, options);
  const report = await runQuantization(
    { entry: WORKER_ENTRY },
    {
      kind: 'quantize',
      modelPath: model,
      outputPath: options.output,
      dataPath: options.calibration,
      split: options.split,
      recipe: {
        ...STATIC_INT8,
        calibration: {
          method: options.method,
          ...(options.percentile === undefined ? {} : { percentile: options.percentile }),
          ...(options.samples === undefined ? {} : { samples: options.samples }),
        },
        perTensor: options.perTensor,
        reduceRange: options.reduceRange === 'auto' ? 'auto' : options.reduceRange === 'on',
        exclude: { nodes: options.exclude, opTypes: options.excludeOp },
      },
      threads: options.threads,
    },
    {
      signal: abortOnInterrupt(),
      onEvent: (event) => {
        if (event.kind === 'progress') progress.update(event.progress);
      },
    },
  );
  progress.stop();
  if (!report.ok) return printProblems(terminal, [report.error]);
  printResult(terminal, report.value, options.json, renderReport);
  return EXIT.done;
}

function renderReport(report: QuantizeReport): string {
  const { sizeBytes, calibration, ops, selfCheck } = report;
  const ratio = sizeBytes.before / sizeBytes.after;
  const sqnr = selfCheck.sqnrDb === null ? 'no difference' : `${selfCheck.sqnrDb.toFixed(1)} dB SQNR`;
  return [
    `${report.output}: ${formatBytes(sizeBytes.before)} → ${formatBytes(sizeBytes.after)} (${ratio.toFixed(2)}x smaller)`,
    `  calibration  ${calibration.method}, ${calibration.samples} samples in ${formatSeconds(calibration.seconds)}, peak memory ${formatBytes(report.peakRssBytes)}`,
    `  int8         ${ops.fused} of ${ops.quantized} quantized nodes run in int8 on this CPU`,
    ...listed('not fused', ops.notFused),
    ...listed('left float', ops.float),
    `  self-check   ${sqnr} against float32 on ${selfCheck.samples} calibration samples`,
    ...report.warnings.map((warning) => `  note         ${warning}`),
  ].join('\n');
}

const MAX_NAMED = 3;

/** Nodes that stay out of int8, one line a reason. */
function listed(title: string, nodes: QuantizeReport['ops']['float']): string[] {
  const groups = new Map<string, string[]>();
  for (const { node, op, reason } of nodes) {
    const key = `${op}: ${reason}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups].map(([key, names]) => {
    const named = names.slice(0, MAX_NAMED).join(', ');
    const more = names.length > MAX_NAMED ? ', … (--json lists all)' : '';
    return `  ${title.padEnd(11)}  ${names.length} ${key} (${named}${more})`;
  });
}
