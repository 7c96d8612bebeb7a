import { isFreeDim, type ModelInput } from './sample-source.ts';

/**
 * The output that looks like the next value of an input: of its type, of dimensions that can be the same, and of its
 * name but for what marks the direction (`state` and `stateN`, `h0` and `hn`, `h_in` and `h_out`). A guess, for hints.
 */
export function pairedOutput(input: ModelInput, outputs: readonly ModelInput[] = []): ModelInput | undefined {
  const stem = stemOf(input.name);
  if (stem === '') return undefined;
  return outputs.find(
    (output) => output.type === input.type && stemOf(output.name) === stem && mayShareDims(input, output),
  );
}

const DIRECTIONS: ReadonlySet<string> = new Set(
  'in input out output prev previous past present next new initial final'.split(' '),
);

/** `stateN`, `state_out` and `state` all have the stem `state`. */
function stemOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => !DIRECTIONS.has(word));
  const last = words.at(-1) ?? '';
  const ending = last === 'n' || last === '0' || last === '1' ? '' : last.replace(/(?<=^[a-z])(n|0|1)$/, '');
  return [...words.slice(0, -1), ending].join('');
}

function mayShareDims({ dims: a = [] }: ModelInput, { dims: b = [] }: ModelInput): boolean {
  if (a.length !== b.length) return a.length === 0 || b.length === 0;
  return a.every((dim, axis) => {
    const other = b[axis] as number | string;
    return isFreeDim(dim) || isFreeDim(other) || dim === other;
  });
}
