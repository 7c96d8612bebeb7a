/** The same functions, which say so after each call: whoever keeps what was made of the metrics then makes it anew. */
export function noteChanges<T extends object>(functions: T, onChange: () => void): T {
  const noting = Object.entries(functions).map(([name, call]) => [
    name,
    (...parameters: readonly unknown[]) => {
      const returned: unknown = call(...parameters);
      onChange();
      return returned;
    },
  ]);
  // Each stands under its own name and takes and returns what it did.
  return Object.fromEntries(noting) as T;
}
