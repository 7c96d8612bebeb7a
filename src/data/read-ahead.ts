/**
 * Results of `read` for each `step`th index from `start` up to and without `end`, in order, with up to `ahead` reads under way
 * while the consumer works. A read that rejects does so when its turn comes.
 */
export async function* readAhead<T>(
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
  read: (index: number) => Promise<T>,
  ahead: number,
): AsyncGenerator<T> {
  const pending: Promise<T>[] = [];
  let next = start;
  const fill = (): void => {
    while (next < end && pending.length < ahead) {
      const reading = read(next);
      // The rejection is for whoever awaits it in turn; until then it is not unhandled.
      reading.catch(() => {});
      pending.push(reading);
      next += step;
    }
  };
  try {
    for (fill(); pending.length > 0; fill()) yield await (pending.shift() as Promise<T>);
  } finally {
    // Nobody may close the files while a read is under way.
    await Promise.allSettled(pending);
  }
}
