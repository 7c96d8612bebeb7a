#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { asError } from '../core/as-error.ts';
import { agentVersion } from '../jobs/agent-version.ts';
import { disableRuntimeTelemetry } from '../runtime/no-telemetry.ts';
import { dropOutputWhenClosed } from './closed-output.ts';
import { EXIT } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

type MakeCommand = (terminal: Terminal, exit: (code: number) => void) => Command;

/** Loaded when needed: a web server and a schema library are most of the time that `inspect` would take to start. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  run: async () => (await import('./commands/run.ts')).runCommand,
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  quantize: async () => (await import('./commands/quantize.ts')).quantizeCommand,
  evaluate: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
  bench: async () => (await import('./commands/bench.ts')).benchCommand,
  compare: async () => (await import('./commands/compare.ts')).compareCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  roofline: async () => (await import('./commands/roofline.ts')).rooflineCommand,
  'cold-start': async () => (await import('./commands/cold-start.ts')).coldStartCommand,
  soak: async () => (await import('./commands/soak.ts')).soakCommand,
  sweep: async () => (await import('./commands/sweep.ts')).sweepCommand,
  peak: async () => (await import('./commands/peak.ts')).peakCommand,
  trace: async () => (await import('./commands/trace.ts')).traceCommand,
  watch: async () => (await import('./commands/watch.ts')).watchCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  models: async () => (await import('./commands/models.ts')).modelsCommand,
  fleet: async () => (await import('./commands/fleet.ts')).fleetCommand,
  history: async () => (await import('./commands/history.ts')).historyCommand,
  acknowledge: async () => (await import('./commands/acknowledge.ts')).acknowledgeCommand,
  baseline: async () => (await import('./commands/baseline.ts')).baselineCommand,
  'test-alert': async () => (await import('./commands/test-alert.ts')).testAlertCommand,
  timeline: async () => (await import('./commands/timeline.ts')).timelineCommand,
  gc: async () => (await import('./commands/gc.ts')).gcCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
};

/** The command that is named first, or all of them for whoever asks what there is. */
function commandsFor(name: string | undefined): readonly (() => Promise<MakeCommand>)[] {
  const named = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
  return named === undefined ? Object.values(COMMANDS) : [named];
}

const EXIT_CODES = `
Exit codes: 0 done, 1 a verdict or gate failed, 2 bad usage or input, 3 a fault of ptq-agent or a worker that died.
With --json, results go to stdout as JSON alone; progress and messages go to stderr.`;

const isDebugged = process.env['PTQ_AGENT_DEBUG'] !== undefined;

async function main(): Promise<void> {
  disableRuntimeTelemetry();
  // Stacks then name lines of the sources, not of the bundles that are made of them.
  if (isDebugged) process.setSourceMapsEnabled(true);
  dropOutputWhenClosed([process.stdout, process.stderr]);
  const terminal: Terminal = { stdout: process.stdout, stderr: process.stderr };
  const exit = (code: number) => {
    process.exitCode = code;
  };
  const program = new Command('ptq-agent')
    .description('Quantizes ONNX models after training, and measures what came of it on this host.')
    .version(agentVersion())
    .addHelpText('after', EXIT_CODES)
    .showSuggestionAfterError()
    .showHelpAfterError('(--help lists the options)')
    .exitOverride();
  for (const load of commandsFor(process.argv[2])) {
    const make = await load();
    program.addCommand(inherit(make(terminal, exit), program));
  }
  try {
    await program.parseAsync();
  } catch (error) {
    // Commander has printed what is wrong; help and version are no errors.
    if (error instanceof CommanderError) exit(error.exitCode === 0 ? EXIT.done : EXIT.badInput);
    else exit(printFault(error));
  }
}

/** Has a command, and those within it, end and print as the program does. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}

/** A bug of this program: its message for the user, its stack only where the user asks for it. */
function printFault(error: unknown): number {
  const thrown = asError(error);
  const details = isDebugged ? (thrown.stack ?? thrown.message) : thrown.message;
  process.stderr.write(`error: a fault in ptq-agent itself: ${details}\n`);
  process.stderr.write('  what to do: please report it; PTQ_AGENT_DEBUG=1 adds where it happened\n');
  return EXIT.fault;
}

await main();
