/** At most `limit` of the positions below `count`, at equal distances and from the first. */
export function evenPositions(count: number, limit: number): Uint32Array {
  const taken = Math.min(count, limit);
  return Uint32Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}
