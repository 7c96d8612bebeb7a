import Table from 'cli-table3';

const NO_BORDER = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Columns of text under a header; numbers, but not addresses, are aligned to the right. Plain text, so that it can be pasted anywhere. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumeric = (column: number) =>
    rows.every((row) => /^[-+−]?[\d.]+(?![\d.:])|^–$|^$/.test(row[column] ?? ''));
  const table = new Table({
    head: [...header],
    chars: NO_BORDER,
    colAligns: header.map((_, column) => (rows.length > 0 && isNumeric(column) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** 0.98765 → `98.77 %`. */
export function percent(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${(ratio * 100).toFixed(2)} %`;
}

/** A number with so many decimals, or a dash where there is none. */
export function decimal(value: number | null | undefined, decimals: number): string {
  return value === undefined || value === null ? '–' : value.toFixed(decimals);
}
