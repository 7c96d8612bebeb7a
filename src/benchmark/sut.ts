/**
 * The system under test, in MLPerf's sense: one model, loaded, with the feeds of its samples already built, so that
 * nothing but the inference lies inside the timed call.
 */
export interface SystemUnderTest {
  /** How many prebuilt feeds there are; `run` takes 0 up to one less. At least 1. */
  readonly sampleCount: number;
  /** Samples that one `run` works through: the batch size of the prebuilt feeds, 1 where the batch is fixed at 1. */
  readonly samplesPerRun: number;
  /** Runs the model once on feed `index`. Rejects with a `ProblemError` when the runtime refuses. */
  run(index: number): Promise<void>;
}
