/**
 * How queries are issued. The first four are MLPerf's; `closed-loop` keeps k queries under way, the others issue queries by a
 * schedule, whether the system keeps up or not.
 */
export const SCENARIOS = [
  'single-stream',
  'multi-stream',
  'server',
  'offline',
  'closed-loop',
  'constant-rate',
  'ramp',
  'replay',
] as const;

export type Scenario = (typeof SCENARIOS)[number];

/** How thorough a measurement is, in one word. */
export const PRESETS = ['quick', 'standard', 'mlperf'] as const;

export type Preset = (typeof PRESETS)[number];

/** Files that arrivals can be read from. */
export const TRACE_FORMATS = [
  'ptq-agent',
  'request-intervals',
  'fixed-schedule',
  'mooncake',
  'aiperf',
  'azure-llm',
] as const;

export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** How many queries of a variant, or samples of a model, are traced where nobody says. */
export const DEFAULT_TRACED_QUERIES = 50;

/** More would fill a disk with profiles, and no page that shows them would be of use. */
export const MOST_TRACED_QUERIES = 10_000;
