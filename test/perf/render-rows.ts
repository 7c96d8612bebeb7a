import { renderTable } from '../../src/cli/table.ts';
import { formatBytes } from '../../src/core/units.ts';
import { readHostFingerprint } from '../../src/jobs/host-fingerprint.ts';
import type { PerfRow } from './perf-row.ts';

/** The figures of one measurement as a table, to read in a terminal or to paste into a page. */
export function renderRows(rows: readonly PerfRow[], form: 'plain' | 'markdown'): string {
  const detailed = rows.some(({ detail }) => detail !== undefined);
  const header = ['subject', 'figure', 'value', ...(detailed ? ['of'] : []), 'target', ''];
  const cells = rows.map((row) => [
    row.subject,
    row.figure,
    row.value,
    ...(detailed ? [row.detail ?? ''] : []),
    row.target ?? '',
    verdict(row),
  ]);
  return form === 'plain' ? renderTable(header, cells) : markdownTable(header, cells);
}

/** One row on one line, while others are still being measured. */
export function renderProgress(row: PerfRow): string {
  const { subject, figure, value, detail, target } = row;
  const more = [detail, target === undefined ? undefined : `target ${target}`, verdict(row)];
  return [`${subject}: ${figure} ${value}`, ...more.filter((part) => part !== undefined && part !== '')].join(
    ', ',
  );
}

/** What the figures depend on. */
export function renderHost(): string {
  const { cpuModel, logicalCpus, cpuFeatures, memoryTotalBytes, kernel, nodeVersion, onnxRuntimeVersion } =
    readHostFingerprint();
  const software = `Node.js ${nodeVersion}, ONNX Runtime ${onnxRuntimeVersion}, ${kernel}`;
  return `${cpuModel}, ${logicalCpus} CPUs (${cpuFeatures.join(', ')}), ${formatBytes(memoryTotalBytes)}, ${software}`;
}

function verdict({ reached }: PerfRow): string {
  if (reached === undefined) return '';
  return reached ? 'reached' : 'MISSED';
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
