import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Profile } from './profile.ts';
import { PROFILE_SUITE, type Suite } from './suite.ts';

const SHORT_LOAD: Suite = {
  name: PROFILE_SUITE,
  measurements: [{ name: 'single-stream', scenario: 'single-stream', preset: 'quick' }],
  limits: {},
};

/**
 * What a capture replays where nothing else runs, as a suite of one measurement: what `bench.capture` of the profile names (a
 * scenario of the profile, SUITE/MEASUREMENT, or a suite, of which it is the first), or else a single stream.
 * Problems: `unknown-suite`, for a name that the profile does not have.
 */
export function capturedSuite({ bench }: Pick<Profile, 'bench'>): Result<Suite, Problem<'unknown-suite'>> {
  const name = bench.capture;
  if (name === undefined) return ok(SHORT_LOAD);
  const own: Suite = { name: PROFILE_SUITE, measurements: bench.scenarios, limits: {} };
  const choices = [
    ...own.measurements.map((measurement) => ({ name: measurement.name, suite: own, measurement })),
    ...bench.suites.flatMap((suite) =>
      suite.measurements.map((measurement) => ({
        name: `${suite.name}/${measurement.name}`,
        suite,
        measurement,
      })),
    ),
    ...bench.suites.flatMap((suite) =>
      suite.measurements.slice(0, 1).map((measurement) => ({ name: suite.name, suite, measurement })),
    ),
  ];
  const chosen = choices.find((choice) => choice.name === name);
  if (chosen !== undefined) return ok({ ...chosen.suite, measurements: [chosen.measurement] });
  return err(
    problem('unknown-suite', `there is no scenario or suite '${name}' to capture`, {
      hint: `the profile has ${[...new Set(choices.map((choice) => choice.name))].join(', ')}`,
    }),
  );
}
