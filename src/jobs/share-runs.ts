import type { NamedTensors, RunBatch } from '../core/tensor.ts';

/** Something that runs the model. */
export interface Runner {
  readonly run: RunBatch;
  /** Runs that it may be given before the first has ended. */
  readonly places: number;
  /** Settles when it can run; one that never can takes no part. */
  readonly ready?: Promise<void>;
}

interface Job {
  readonly feeds: NamedTensors;
  readonly resolve: (outputs: NamedTensors) => void;
  readonly reject: (why: unknown) => void;
}

/** Gives each run to a runner that has a place for it; the one that is named first is preferred. */
export function shareRuns(runners: readonly Runner[]): RunBatch {
  const jobs: Job[] = [];
  const free = new Map<Runner, number>();
  const add = (runner: Runner, places: number): void => {
    free.set(runner, (free.get(runner) ?? 0) + places);
    giveOut();
  };
  const giveOut = (): void => {
    for (;;) {
      const runner = runners.find((each) => (free.get(each) ?? 0) > 0);
      const job = runner === undefined ? undefined : jobs.shift();
      if (runner === undefined || job === undefined) return;
      free.set(runner, (free.get(runner) ?? 0) - 1);
      runner
        .run(job.feeds)
        .then(job.resolve, job.reject)
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
  return (feeds) =>
    new Promise((resolve, reject) => {
      jobs.push({ feeds, resolve, reject });
      giveOut();
    });
}
