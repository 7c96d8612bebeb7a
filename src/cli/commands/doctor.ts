import { Command } from 'commander';
import { examineHost } from '../../jobs/doctor.ts';
import { renderDoctor } from '../doctor-report.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

export function doctorCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('doctor')
    .description(
      'what this host has: CPU features, devices, GPUs, NVMe drives, versions; what is missing and how to get it',
    )
    .option('--json', 'print the findings as JSON', false)
    .action(async ({ json }: { readonly json: boolean }) => exit(await examine(json, terminal)));
}

async function examine(json: boolean, terminal: Terminal): Promise<number> {
  const report = await examineHost({ entry: WORKER_ENTRY }, { signal: abortOnInterrupt() });
  if (!report.ok) return printProblems(terminal, [report.error]);
  printResult(terminal, report.value, json, renderDoctor);
  return report.value.usable ? EXIT.done : EXIT.verdictFailed;
}
