/** One way to run a model: what a row of a sweep is about. */
export interface SweepConfiguration {
  /** The variant, as the caller names it. */
  readonly model: string;
  /** Samples that one run works through. */
  readonly batch: number;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  /** Sessions side by side, each in a lane of its own. */
  readonly concurrency: number;
  /** Whether its threads and sessions together want more cores than there are. */
  readonly oversubscribed: boolean;
}

export interface SweepLists {
  readonly models: readonly string[];
  readonly batches: readonly number[];
  /** Powers of two up to the cores where not given. */
  readonly threads?: readonly number[] | undefined;
  readonly concurrencies?: readonly number[] | undefined;
}

/** 1, 2, 4, … and the number of cores itself. */
export function powersOfTwoUpTo(cores: number): readonly number[] {
  const powers: number[] = [];
  for (let power = 1; power < cores; power *= 2) powers.push(power);
  return [...powers, cores];
}

/**
 * Every configuration of the lists. What wants more cores than there are is in it, marked, where threads or concurrency were
 * asked for; where the lists are those of the host, it is left out.
 */
export function sweepConfigurations(
  { models, batches, threads, concurrencies }: SweepLists,
  cores: number,
): readonly SweepConfiguration[] {
  const hostsOwn = powersOfTwoUpTo(cores);
  const isAsked = threads !== undefined || concurrencies !== undefined;
  return models
    .flatMap((model) =>
      batches.flatMap((batch) =>
        (threads ?? hostsOwn).flatMap((ofOperator) =>
          (concurrencies ?? hostsOwn).map((concurrency) => ({
            model,
            batch,
            threads: ofOperator,
            concurrency,
            oversubscribed: (ofOperator === 0 ? cores : ofOperator) * concurrency > cores,
          })),
        ),
      ),
    )
    .filter(({ oversubscribed }) => isAsked || !oversubscribed);
}

/** `batch 4, 2 threads, 1 lane`. */
export function describeConfiguration({
  batch,
  threads,
  concurrency,
}: Pick<SweepConfiguration, 'batch' | 'threads' | 'concurrency'>): string {
  const ofOperator = threads === 0 ? 'all threads' : `${threads} thread${threads === 1 ? '' : 's'}`;
  return `batch ${batch}, ${ofOperator}, ${concurrency} lane${concurrency === 1 ? '' : 's'}`;
}
