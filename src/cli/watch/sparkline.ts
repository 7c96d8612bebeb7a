const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * The last values as blocks of eight heights, one a column, the newest at the right; where nothing was measured there is a space.
 * @param most  the height of a full block; the largest of the values shown unless given. Zero is the lowest block.
 */
export function sparkline(values: readonly (number | undefined)[], width: number, most?: number): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const full = most ?? shown.reduce<number>((a, b) => Math.max(a, b ?? 0), 0);
  const blocks = shown.map((value) => (value === undefined ? ' ' : blockOf(full > 0 ? value / full : 0)));
  return blocks.join('').padStart(Math.max(0, width));
}

function blockOf(share: number): string {
  const height = Math.round(Math.min(1, Math.max(0, share)) * (BLOCKS.length - 1));
  return BLOCKS[height] ?? BLOCKS[0];
}
