import { Command, Option } from 'commander';
import { attemptAsync, type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { findTimeline, listTimelines } from '../../jobs/find-timeline.ts';
import { type PartOfTimeline, readSeriesView, timelineSeconds } from '../../jobs/series-task.ts';
import { summarizeTimelineFile } from '../../jobs/summarize-timeline-file.ts';
import { writeTimelineCsv } from '../../jobs/timeline-csv.ts';
import { EXIT } from '../exit-code.ts';
import { durationSeconds, list } from '../option-parsers.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';
import { renderTimeline, renderTimelines } from '../timeline-report.ts';

interface TimelineOptions {
  readonly dataDir: string;
  readonly columns?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly resolution?: number;
  readonly counters?: 'rate' | 'total';
  readonly csv: boolean;
  readonly json: boolean;
}

/** A view of this many points is more than any screen has, and little to hold. */
const MOST_POINTS = 100_000;
const DEFAULT_POINTS = 600;

export function timelineCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('timeline')
    .description('what runs took of the host: by phase, or as series for other tools')
    .argument(
      '[run]',
      'the id of a run, its beginning, latest, or a timeline file; without it, the runs are listed',
    )
    .option('--data-dir <dir>', 'where results and artifacts are kept', '.ptq-agent')
    .option(
      '--csv',
      'print series as CSV: a line for each snapshot, or for each point of --resolution',
      false,
    )
    .option('--json', 'print JSON: the summary, or with --columns or --resolution series', false)
    .option(
      '--columns <names>',
      'which columns, such as cpu,disks.*.writtenBytes (default: all numbers)',
      list,
    )
    .option('--from <time>', 'since the beginning of the timeline, such as 90s', durationSeconds)
    .option('--to <time>', 'since the beginning of the timeline', durationSeconds)
    .option(
      '--resolution <time>',
      'length of a point, such as 1s; a point has the mean of what is in it',
      durationSeconds,
    )
    .addOption(
      new Option(
        '--counters <how>',
        'counters as growth per second or as they are (default: rate for points, total for snapshots)',
      ).choices(['rate', 'total']),
    )
    .action(async (run: string | undefined, options: TimelineOptions) =>
      exit(await timeline(run, options, terminal)),
    );
}

async function timeline(
  run: string | undefined,
  options: TimelineOptions,
  terminal: Terminal,
): Promise<number> {
  const { dataDir, csv, json } = options;
  const refused = refuse(run, options);
  if (refused !== undefined) return printProblems(terminal, [refused]);
  if (run === undefined) {
    printResult(terminal, await listTimelines(dataDir), json, (all) => renderTimelines(dataDir, all));
    return EXIT.done;
  }
  const file = await findTimeline(dataDir, run);
  if (!file.ok) return printProblems(terminal, [file.error]);
  const shown = csv
    ? await printCsv(file.value, options, terminal)
    : wantsSeries(options)
      ? await printSeries(file.value, options, terminal)
      : await printSummary(file.value, options, terminal);
  return shown.ok ? EXIT.done : printProblems(terminal, [shown.error]);
}

function wantsSeries({ columns, resolution, counters }: TimelineOptions): boolean {
  return columns !== undefined || resolution !== undefined || counters !== undefined;
}

/** Options that would do nothing are a misunderstanding. */
function refuse(run: string | undefined, options: TimelineOptions): Problem | undefined {
  const { csv, json, from, to, counters, resolution } = options;
  const bad = (message: string, hint: string) => problem('bad-usage', message, { hint });
  if (csv && json) return bad('--csv and --json are two forms of output', 'give one of them');
  if (run === undefined && (csv || wantsSeries(options) || from !== undefined || to !== undefined)) {
    return bad('no run is named', 'name one, or latest; without options, ptq-agent timeline lists the runs');
  }
  if (!csv && !json && wantsSeries(options)) {
    return bad('series are printed as CSV or JSON', 'add --csv or --json');
  }
  if (csv && counters === 'rate' && resolution === undefined) {
    return bad('a snapshot has no rate', 'add --resolution, such as --resolution 1s');
  }
  return undefined;
}

async function printSummary(file: string, options: TimelineOptions, terminal: Terminal) {
  const summary = await summarizeTimelineFile(file, partOf(options));
  if (summary.ok) printResult(terminal, summary.value, options.json, renderTimeline);
  return summary;
}

async function printSeries(file: string, options: TimelineOptions, terminal: Terminal) {
  const step = await stepOf(file, options);
  if (!step.ok) return step;
  const series = await attemptAsync(() =>
    readSeriesView(file, {
      ...partOf(options),
      ...columnsOf(options),
      points: DEFAULT_POINTS,
      ...step.value,
      rates: options.counters !== 'total',
    }),
  );
  if (series.ok) printResult(terminal, series.value, true, String);
  return series;
}

async function printCsv(file: string, options: TimelineOptions, { stdout }: Terminal) {
  const step = await stepOf(file, options);
  if (!step.ok) return step;
  const query = {
    ...partOf(options),
    ...columnsOf(options),
    ...step.value,
    rates: options.counters !== 'total',
  };
  return writeTimelineCsv(file, query, async (text) => {
    // Whoever reads it may have had enough, as `head` has.
    if ('destroyed' in stdout && stdout.destroyed === true) return;
    if (stdout.write(text)) return;
    await new Promise<void>((resolve) => {
      const goOn = () => {
        stdout.off('drain', goOn).off('close', goOn);
        resolve();
      };
      stdout.on('drain', goOn).on('close', goOn);
    });
  });
}

/** The length of a point; undefined where none was asked for. */
async function stepOf(
  file: string,
  { from, to, resolution }: TimelineOptions,
): Promise<Result<{ readonly stepSeconds?: number }, Problem>> {
  if (resolution === undefined) return ok({});
  const length = await timelineSeconds(file);
  if (!length.ok) return length;
  const points = Math.ceil(Math.max(0, (to ?? length.value) - (from ?? 0)) / resolution);
  if (points <= MOST_POINTS) return ok({ stepSeconds: resolution });
  return err(
    problem('bad-usage', `--resolution would make ${points} points`, {
      hint: `at most ${MOST_POINTS} are made; take longer ones, or a part by --from and --to`,
    }),
  );
}

function partOf({ from, to }: TimelineOptions): PartOfTimeline {
  return {
    ...(from === undefined ? {} : { fromSeconds: from }),
    ...(to === undefined ? {} : { toSeconds: to }),
  };
}

function columnsOf({ columns }: TimelineOptions) {
  return columns === undefined ? {} : { columns };
}
