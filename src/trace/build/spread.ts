export interface Span {
  readonly startNs: number;
  readonly endNs: number;
}

/**
 * Puts spans, which may overlap, into as few rows as possible in which none do; those for which no row is left are left
 * out.
 */
export function spread<T extends Span>(spans: readonly T[], mostRows: number): readonly (readonly T[])[] {
  const rows: T[][] = [];
  for (const span of [...spans].sort((a, b) => a.startNs - b.startNs)) {
    const row = rows.find((taken) => (taken.at(-1) as T).endNs <= span.startNs);
    if (row !== undefined) row.push(span);
    else if (rows.length < mostRows) rows.push([span]);
  }
  return rows;
}
