import { hostname } from 'node:os';
import { Command } from 'commander';
import { toJson } from '../../core/json.ts';
import { silentLogger } from '../../core/log.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import { isEnded } from '../../core/run-terms.ts';
import { readAccessToken } from '../../store/access-token.ts';
import { LiveFigures } from '../../telemetry/live-figures.ts';
import { startSampler } from '../../telemetry/sampler.ts';
import type { Snapshot } from '../../telemetry/snapshot.ts';
import { SAMPLER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { durationSeconds, positiveInteger } from '../option-parsers.ts';
import { agentUrl, DEFAULT_AGENT } from '../remote/agent-options.ts';
import { printProblems, type Terminal } from '../terminal.ts';
import { type DaemonAt, followDaemon, isDaemon, readRun } from '../watch/daemon-snapshots.ts';
import { LiveScreen, type ScreenStream } from '../watch/live-screen.ts';
import { formatFigure, runLines, WatchView } from '../watch/watch-view.ts';

interface WatchOptions {
  readonly agent?: URL;
  readonly tokenFile?: string;
  readonly local: boolean;
  readonly interval: number;
  readonly count?: number;
  readonly json: boolean;
}

export function watchCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('watch')
    .description('what the host does now: of a running daemon with what it works on, else of this host')
    .argument('[run]', 'the id of a run of the daemon; the view ends with it')
    .option('--agent <url>', `the daemon (default: ${DEFAULT_AGENT.origin} where one answers)`, agentUrl)
    .option('--token-file <file>', 'the access token of a daemon that wants one, in a file')
    .option('--local', 'sample this host, whether a daemon runs or not', false)
    .option('--interval <time>', 'how often the view is drawn', durationSeconds, 1)
    .option('--count <n>', 'end after so many', positiveInteger)
    .option('--json', 'print a JSON object a line', false)
    .action(async (run: string | undefined, options: WatchOptions) =>
      exit(await watch(run, options, terminal)),
    );
}

async function watch(run: string | undefined, options: WatchOptions, terminal: Terminal): Promise<number> {
  const source = await chooseSource(run, options);
  if (!source.ok) return printProblems(terminal, [source.error]);
  const daemon = source.value;
  const url = daemon?.url;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, abortOnInterrupt()]);
  const view = new WatchView();
  const figures = new LiveFigures();
  const onSnapshot = (snapshot: Snapshot) => view.add(figures.add(snapshot));
  const title = url === undefined ? `${hostname()}, this host` : `daemon at ${url.origin}`;
  const output = openOutput(terminal, options, title);
  let drawn = 0;
  const draw = async () => {
    if (daemon !== undefined) view.run = await readRun(daemon, run);
    if (signal.aborted) return;
    output.draw(view, daemon !== undefined);
    view.endPoint();
    drawn += 1;
    if (drawn === options.count || (run !== undefined && view.run !== undefined && isEnded(view.run)))
      over.abort();
  };
  const timer = setInterval(() => void draw(), options.interval * 1000);
  try {
    const followed =
      daemon === undefined
        ? await followHost(options.interval, signal, onSnapshot)
        : await followDaemon(daemon, signal, onSnapshot);
    output.close();
    if (!followed.ok) return printProblems(terminal, [followed.error]);
    if (url !== undefined && !signal.aborted) {
      return printProblems(terminal, [
        problem('daemon-unreachable', `the daemon at ${url.origin} has ended`),
      ]);
    }
    return EXIT.done;
  } finally {
    clearInterval(timer);
    output.close();
  }
}

function daemonAt(url: URL, token: string | undefined): DaemonAt {
  return token === undefined ? { url } : { url, token };
}

/** The daemon to watch; undefined where this host is to be sampled. */
async function chooseSource(
  run: string | undefined,
  { agent, local, tokenFile }: WatchOptions,
): Promise<Result<DaemonAt | undefined, Problem>> {
  const bad = (message: string, hint: string) =>
    ({ ok: false, error: problem('bad-usage', message, { hint }) }) as const;
  if (local && agent !== undefined)
    return bad('--local and --agent are two things to watch', 'give one of them');
  if (local && run !== undefined) return bad('a run can only be watched at its daemon', 'leave out --local');
  if (local) return ok(undefined);
  const url = agent ?? ((await isDaemon(DEFAULT_AGENT)) ? DEFAULT_AGENT : undefined);
  const token = tokenFile === undefined ? ok(undefined) : readAccessToken(tokenFile);
  if (!token.ok) return token;
  const daemon = url === undefined ? undefined : daemonAt(url, token.value);
  if (run === undefined) return ok(daemon);
  if (url === undefined || daemon === undefined)
    return bad(`no daemon answers at ${DEFAULT_AGENT.origin}`, 'name it with --agent');
  if ((await readRun(daemon, run)) !== undefined) return ok(daemon);
  return {
    ok: false,
    error: problem('unknown-run', `the daemon at ${url.origin} has no run '${run}'`, {
      hint: `${url.origin}/bench lists its runs`,
    }),
  };
}

async function followHost(
  intervalSeconds: number,
  signal: AbortSignal,
  onSnapshot: (snapshot: Snapshot) => void,
): Promise<Result<void, Problem>> {
  const intervalMs = Math.min(1000, Math.max(100, intervalSeconds * 1000));
  const sampler = startSampler({ entry: SAMPLER_ENTRY, intervalMs, logger: silentLogger });
  sampler.onSnapshot(onSnapshot);
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await sampler.stop();
  return ok(undefined);
}

interface Output {
  readonly draw: (view: WatchView, hasRuns: boolean) => void;
  readonly close: () => void;
}

/** A live screen in a terminal, lines everywhere else. */
function openOutput({ stdout }: Terminal, { json }: WatchOptions, title: string): Output {
  const isTty = 'isTTY' in stdout && stdout.isTTY === true;
  if (isTty && !json) return openScreen(stdout, title);
  return {
    draw: (view, hasRuns) => {
      const time = new Date().toISOString();
      stdout.write(`${json ? toJson(lineObject(time, view)) : lineText(time, view, hasRuns)}\n`);
    },
    close: () => {},
  };
}

function openScreen(stdout: ScreenStream, title: string): Output {
  const screen = new LiveScreen(stdout);
  const isColored = process.env['NO_COLOR'] === undefined;
  const leave = () => screen.leave();
  const resize = () => screen.clear();
  // Whatever ends the program, the terminal is given back.
  process.once('exit', leave);
  stdout.on('resize', resize);
  screen.enter();
  screen.draw([title, 'the first samples are awaited']);
  return {
    draw: (view) => {
      const time = new Date().toTimeString().slice(0, 8);
      screen.draw(view.render(`${title}  ${time}  Ctrl-C ends`, screen.size(), isColored));
    },
    close: () => {
      process.off('exit', leave);
      stdout.off('resize', resize);
      leave();
    },
  };
}

function lineObject(time: string, view: WatchView) {
  const figures = [...view.current()].map(([label, { unit, value }]) => ({ label, unit, value }));
  return { time, ...(view.run === undefined ? {} : { run: view.run }), figures };
}

function lineText(time: string, view: WatchView, hasRuns: boolean): string {
  const figures = [...view.current()].map(
    ([label, { unit, value, most }]) => `${label} ${formatFigure(unit, value, most)}`,
  );
  return [time, ...(hasRuns ? runLines(view.run) : []), ...figures].join('; ');
}
