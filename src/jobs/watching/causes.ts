import type { PointFacts } from './point-facts.ts';

/** What differs between a run and those that its figure was expected from. */
export interface Cause {
  /** `host`: fp32 changed in the same way, so the variant is not to blame. */
  readonly kind:
    | 'model'
    | 'artifact'
    | 'profile'
    | 'data'
    | 'runtime'
    | 'drivers'
    | 'agent'
    | 'node'
    | 'kernel'
    | 'load'
    | 'clocks'
    | 'host'
    | 'layers';
  /** As a sentence. */
  readonly words: string;
}

type Versioned = 'runtime' | 'drivers' | 'agent' | 'node' | 'kernel';

const VERSIONED: Readonly<Record<Versioned, string>> = {
  runtime: 'ONNX Runtime',
  drivers: 'the drivers of the GPUs',
  agent: 'ptq-agent',
  node: 'Node.js',
  kernel: 'the kernel',
};

const REPLACED = {
  model: 'the float32 model is another file',
  artifact: 'the quantized model was made anew',
  profile: 'the profile says something else',
  data: 'the data are others',
} as const;

/** As much other work as makes a difference that is looked for. */
const NOTABLE_CORES = 0.25;

/** What is known to differ, the likeliest first: empty where nothing does, so that what is left is what nobody looks at. */
export function causesBetween(before: PointFacts | null, now: PointFacts): readonly Cause[] {
  if (before === null) return [];
  const differs = (name: keyof PointFacts) =>
    before[name] !== undefined && now[name] !== undefined && before[name] !== now[name];
  const replaced = (Object.keys(REPLACED) as (keyof typeof REPLACED)[])
    .filter(differs)
    .map((kind): Cause => ({ kind, words: REPLACED[kind] }));
  const versions = (Object.keys(VERSIONED) as Versioned[])
    .filter(differs)
    .map((kind): Cause => ({ kind, words: `${VERSIONED[kind]}: ${before[kind]} before, ${now[kind]} now` }));
  return [...slowedDown(before, now), ...load(before, now), ...replaced, ...versions];
}

function slowedDown(before: PointFacts, { slowedDown: reasons }: PointFacts): readonly Cause[] {
  if (reasons === undefined || reasons === before.slowedDown) return [];
  return [{ kind: 'clocks', words: `something was slowed down: ${reasons}` }];
}

function load(before: PointFacts, now: PointFacts): readonly Cause[] {
  const [less = 0, more = 0] = [before.otherCpuCores, now.otherCpuCores];
  if (more - less < NOTABLE_CORES) return [];
  return [{ kind: 'load', words: `other work took ${more.toFixed(2)} cores, and ${less.toFixed(2)} before` }];
}
