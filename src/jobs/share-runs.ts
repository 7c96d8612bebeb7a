/** Something that runs the model. */
export interface Runner<Job, Done> {
  readonly run: (job: Job) => Promise<Done>;
  /** Runs that it may be given before the first has ended. */
  readonly places: number;
  /** Settles when it can run; one that never can takes no part. */
  readonly ready?: Promise<void>;
}

interface Waiting<Job, Done> {
  readonly job: Job;
  readonly resolve: (done: Done) => void;
  readonly reject: (why: unknown) => void;
}

/** Gives each run to a runner that has a place for it; the one that is named first is preferred. */
export function shareRuns<Job, Done>(runners: readonly Runner<Job, Done>[]): (job: Job) => Promise<Done> {
  const jobs: Waiting<Job, Done>[] = [];
  const free = new Map<Runner<Job, Done>, number>();
  const add = (runner: Runner<Job, Done>, places: number): void => {
    free.set(runner, (free.get(runner) ?? 0) + places);
    giveOut();
  };
  const giveOut = (): void => {
    for (;;) {
      const runner = runners.find((each) => (free.get(each) ?? 0) > 0);
      const next = runner === undefined ? undefined : jobs.shift();
      if (runner === undefined || next === undefined) return;
      free.set(runner, (free.get(runner) ?? 0) - 1);
      runner
        .run(next.job)
        .then(next.resolve, next.reject)
        .finally(() => add(runner, 1));
    }
  };
  for (const runner of runners) {
    if (runner.ready === undefined) add(runner, runner.places);
    else
      runner.ready.then(
        () => add(runner, runner.places),
        () => {},
      );
  }
  return (job) =>
    new Promise((resolve, reject) => {
      jobs.push({ job, resolve, reject });
      giveOut();
    });
}
