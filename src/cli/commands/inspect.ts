import { extname } from 'node:path';
import { Command } from 'commander';
import { formatBytes } from '../../core/units.ts';
import type { InspectReport, RuntimeAudit } from '../../jobs/inspect-task.ts';
import { loadRanges } from '../../jobs/load-ranges.ts';
import { runTask } from '../../jobs/worker-process.ts';
import { WORKER_ENTRY } from '../entries.ts';
import { EXIT } from '../exit-code.ts';
import { abortOnInterrupt } from '../interrupt.ts';
import { listNodes } from '../node-list.ts';
import { renderRanges } from '../ranges-report.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface InspectOptions {
  readonly audit: boolean;
  readonly json: boolean;
}

export function inspectCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('inspect')
    .description('describe a model; with --audit, what the runtime makes of it on this host; or saved ranges')
    .argument('<model>', 'the ONNX model, or a .json file of `quantize --save-ranges`')
    .option('--audit', 'load the model and list which of its nodes run in int8', false)
    .option('--json', 'print the description as JSON', false)
    .action(async (model: string, options: InspectOptions) => exit(await inspect(model, options, terminal)));
}

async function inspect(model: string, { audit, json }: InspectOptions, terminal: Terminal): Promise<number> {
  if (extname(model) === '.json') return inspectRanges(model, json, terminal);
  const task = { kind: 'inspect', modelPath: model, audit } as const;
  const report = await runTask({ entry: WORKER_ENTRY }, task, { signal: abortOnInterrupt() });
  if (!report.ok) return printProblems(terminal, [report.error]);
  printResult(terminal, report.value as InspectReport, json, renderReport);
  return EXIT.done;
}

async function inspectRanges(file: string, json: boolean, terminal: Terminal): Promise<number> {
  const ranges = await loadRanges(file);
  if (!ranges.ok) return printProblems(terminal, ranges.error);
  printResult(terminal, ranges.value, json, (value) => renderRanges(file, value));
  return EXIT.done;
}

function renderReport({ model, sizeBytes, summary, audit }: InspectReport): string {
  const { producer, opsets, nodes, parameters, externalData, quantization } = summary;
  const counts = (entries: Readonly<Record<string, number>>) =>
    Object.entries(entries)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const ports = (title: string, values: readonly { readonly name: string; readonly type: string }[]) =>
    values.map(({ name, type }, index) => `  ${(index === 0 ? title : '').padEnd(12)}${name}: ${type}`);
  const bodies = nodes.total - nodes.inMainGraph;
  return [
    `${model}: ${formatBytes(sizeBytes)}`,
    `  made by     ${`${producer.name} ${producer.version}`.trim() || 'unknown'}, IR version ${summary.irVersion ?? 'unknown'}`,
    `  opsets      ${counts(opsets)}`,
    ...ports('inputs', summary.inputs),
    ...ports('outputs', summary.outputs),
    `  nodes       ${nodes.total}${bodies > 0 ? `, ${bodies} of them in subgraphs and functions` : ''}`,
    `  operators   ${counts(summary.operators)}`,
    `  parameters  ${parameters.elements.toLocaleString('en')} in ${parameters.tensors} tensors, ${formatBytes(parameters.sizeBytes)}`,
    ...(externalData.files.length === 0 ? [] : [`  external    ${externalData.files.join(', ')}`]),
    ...(quantization.isQuantized ? [`  quantized   ${counts(quantization.operators)}`] : []),
    ...(audit === undefined ? [] : renderAudit(audit)),
  ].join('\n');
}

function renderAudit({
  provider,
  runtimeVersion,
  operators,
  int8Nodes,
  codeNodes,
  conversionNodes,
  otherNodes,
  nodes,
}: RuntimeAudit) {
  const list = Object.entries(operators).map(([op, count]) => `${op} ${count}`);
  const inVain = nodes.flatMap(({ node, op, reason }) =>
    reason === undefined ? [] : [{ node, op, reason }],
  );
  return [
    '',
    `  on this host, ONNX Runtime ${runtimeVersion}, ${provider}:`,
    `  int8        ${int8Nodes} nodes compute in int8, ${codeNodes} move codes, ${conversionNodes} convert, ${otherNodes} are neither`,
    ...listNodes('in float', inVain),
    `  operators   ${list.join(', ')}`,
  ];
}
