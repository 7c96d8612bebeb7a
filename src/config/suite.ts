import { dirname } from 'node:path';
import type { DataSpec } from '../core/data-spec.ts';
import { type Problem, problem } from '../core/problem.ts';
import { dataRuleProblems, resolveDataSet } from './data.ts';
import { parseDurationSeconds } from './duration.ts';
import { given, type Measurement, reportMeasurements, resolveMeasurement } from './measurement.ts';
import type { SuiteSource } from './suite-schema.ts';
import type { YamlDocument } from './yaml-document.ts';

/** What to measure, all defaults filled in and all paths absolute. */
export interface Suite {
  /** Safe as a metric label. */
  readonly name: string;
  readonly description?: string;
  readonly inputs?: SuiteInputs;
  readonly measurements: readonly Measurement[];
  readonly limits: SuiteLimits;
}

export interface SuiteInputs {
  /** The data of whoever runs the suite where it is absent. */
  readonly set?: DataSpec;
  readonly split?: string;
  /** SHA-256 that the data must have, in hexadecimal. */
  readonly digest?: string;
}

/** For measurements that do not say otherwise. */
export interface SuiteLimits {
  readonly maxDurationSeconds?: number;
  readonly maxOtherCpuCores?: number;
}

/** The name under which the scenarios that stand in a profile itself are reported. */
export const PROFILE_SUITE = 'profile';

/** Fills in the defaults of a suite that its schema allows, and makes its paths absolute. */
export function resolveSuite(source: SuiteSource, file: string): Suite {
  const { name, description, inputs, measurements, limits } = source;
  const folder = dirname(file);
  const { maxDuration, maxOtherCpuCores } = limits ?? {};
  const maxDurationSeconds = maxDuration === undefined ? undefined : parseDurationSeconds(maxDuration);
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(inputs === undefined ? {} : { inputs: resolveInputs(inputs, folder) }),
    measurements: measurements.map((measurement) => resolveMeasurement(measurement, folder)),
    limits: given({ maxDurationSeconds, maxOtherCpuCores }),
  };
}

function resolveInputs(inputs: NonNullable<SuiteSource['inputs']>, folder: string): SuiteInputs {
  const { split, digest, ...data } = inputs;
  const set = hasData(inputs) ? resolveDataSet(data, folder, false) : undefined;
  return given({ set, split: split ?? splitOf(set), digest: digest?.replace('sha256:', '') });
}

/** Arrays of an `.npz` are named by their split; other data is one whole unless it is split here. */
function splitOf(set: DataSpec | undefined): string | undefined {
  if (set === undefined) return undefined;
  return set.splits !== undefined || set.path.endsWith('.npz') ? 'eval' : 'all';
}

function hasData({ split: _, digest: __, ...data }: NonNullable<SuiteSource['inputs']>): boolean {
  return Object.keys(data).length > 0;
}

/** What the schema cannot say: settings that their scenario does not have, names that clash, durations of nothing. */
export function suiteRuleProblems(
  source: SuiteSource,
  document: YamlDocument,
): readonly Problem<'invalid-value'>[] {
  const found: Problem<'invalid-value'>[] = [];
  const report = (field: string, message: string, hint: string): void => {
    found.push(problem('invalid-value', message, { place: document.placeOf(field, 'value'), hint }));
  };
  if (source.name === PROFILE_SUITE)
    report(
      '/name',
      `the suite name "${PROFILE_SUITE}" is that of the scenarios in a profile`,
      'choose another',
    );
  reportMeasurements(source.measurements, '/measurements', report);
  const { maxDuration } = source.limits ?? {};
  if (maxDuration !== undefined && parseDurationSeconds(maxDuration) === 0)
    report(
      '/limits/maxDuration',
      `"maxDuration" is "${maxDuration}", but must be more than zero`,
      'such as 2m',
    );
  if (source.inputs === undefined || !hasData(source.inputs)) return found;
  const { split: _, digest: __, ...data } = source.inputs;
  return [...found, ...dataRuleProblems(data, document, '/inputs')];
}
