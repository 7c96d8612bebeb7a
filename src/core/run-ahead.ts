/** Runs up to `atOnce` items at once, and gives the results in the order of the items. Leaves no run under way behind. */
export async function* runAhead<T, U>(
  items: AsyncIterable<T>,
  run: (item: T) => Promise<U>,
  atOnce: number,
): AsyncGenerator<U> {
  const underWay: Promise<U>[] = [];
  try {
    for await (const item of items) {
      const running = run(item);
      // A failure is met when its turn comes; until then nobody waits for it.
      running.catch(() => {});
      underWay.push(running);
      if (underWay.length >= atOnce) yield await (underWay.shift() as Promise<U>);
    }
    while (underWay.length > 0) yield await (underWay.shift() as Promise<U>);
  } finally {
    await Promise.allSettled(underWay);
  }
}
