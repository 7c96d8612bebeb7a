const MAX_LISTED = 12;

/** Names for a message: quoted, the first dozen of them. */
export function quoteNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, MAX_LISTED).map((name) => `'${name}'`);
  return shown.join(', ') + (names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '');
}
