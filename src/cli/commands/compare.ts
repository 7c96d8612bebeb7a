import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { loadBenchFile } from '../../config/load-bench-file.ts';
import { compareBenchFiles, type FileComparison } from '../../jobs/compare-bench-files.ts';
import { prepareFile } from '../../jobs/prepared-file.ts';
import { renderFigure } from '../compare-figure.ts';
import { renderComparison } from '../compare-report.ts';
import { EXIT } from '../exit-code.ts';
import { confidence, positiveNumber } from '../option-parsers.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

const FAILURES = ['slower', 'not-faster', 'invalid'] as const;

type Failure = (typeof FAILURES)[number];

interface CompareOptions {
  readonly base?: string;
  readonly candidate?: string;
  readonly confidence?: number;
  readonly minEffect?: number;
  readonly svg?: string;
  readonly failOn: readonly Failure[];
  readonly json: boolean;
}

export function compareCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('compare')
    .description('compare two results of bench --output, or the models of one')
    .argument('<result>', 'the result to compare with: a file of bench --output')
    .argument('[other]', 'the result to judge; without it, the models of the first file are compared')
    .option('--base <model>', 'the model to compare with, where there are several (default: the first)')
    .option('--candidate <model>', 'the model to judge, where there are several')
    .option('--confidence <share>', 'of the intervals (default: 0.95)', confidence)
    .option(
      '--min-effect <percent>',
      'the smallest difference to claim (default: 1, without three processes of each in one run 5)',
      positiveNumber,
    )
    .option('--svg <file>', 'draw latencies and ratios by percentile')
    .addOption(
      new Option(
        '--fail-on <what...>',
        'exit with 1 where a candidate is slower, is not shown to be faster, or a result is invalid',
      )
        .choices(FAILURES)
        .default([]),
    )
    .option('--json', 'print the result as JSON', false)
    .action(async (base: string, other: string | undefined, options: CompareOptions) =>
      exit(await compare(base, other, options, terminal)),
    );
}

async function compare(
  basePath: string,
  otherPath: string | undefined,
  options: CompareOptions,
  terminal: Terminal,
): Promise<number> {
  const base = await loadBenchFile(basePath);
  if (!base.ok) return printProblems(terminal, [base.error]);
  const other = otherPath === undefined ? undefined : await loadBenchFile(otherPath);
  if (other?.ok === false) return printProblems(terminal, [other.error]);
  const comparison = compareBenchFiles({
    base: base.value,
    ...(other === undefined ? {} : { candidate: other.value }),
    ...(options.base === undefined ? {} : { baseModel: options.base }),
    ...(options.candidate === undefined ? {} : { candidateModel: options.candidate }),
    ...(options.confidence === undefined ? {} : { confidence: options.confidence }),
    ...(options.minEffect === undefined ? {} : { minEffectRatio: options.minEffect / 100 }),
  });
  if (!comparison.ok) return printProblems(terminal, [comparison.error]);
  printResult(terminal, toReport(comparison.value), options.json, () => renderComparison(comparison.value));
  if (options.svg !== undefined) {
    const file = await prepareFile(resolve(options.svg));
    if (!file.ok) return printProblems(terminal, [file.error]);
    const written = await file.value.write([renderFigure(comparison.value.comparisons)]);
    if (!written.ok) return printProblems(terminal, [written.error]);
  }
  return options.failOn.some((failure) => hasFailed(comparison.value, failure))
    ? EXIT.verdictFailed
    : EXIT.done;
}

function hasFailed({ comparisons }: FileComparison, failure: Failure): boolean {
  return comparisons.some(({ speedUp: { outcome, valid } }) => {
    if (failure === 'invalid') return !valid;
    return failure === 'slower' ? outcome === 'slower' : outcome !== 'faster';
  });
}

/** Without the results themselves, which the files hold. */
function toReport({ comparisons, differences }: FileComparison) {
  return {
    differences,
    comparisons: comparisons.map(({ base, candidate, ...rest }) => ({
      ...rest,
      base: base.variant,
      candidate: candidate.variant,
    })),
  };
}
