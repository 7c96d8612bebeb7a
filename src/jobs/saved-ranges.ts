import Type from 'typebox';
import { CALIBRATION_METHODS } from '../quantization/recipe.ts';

const closed = { additionalProperties: false } as const;

const Digest = (description: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description });

/** The lowest and the highest value, exact. */
const Extremes = { min: Type.Number(), max: Type.Number() };

const SavedRange = Type.Object(
  {
    ...Extremes,
    observed: Type.Optional(
      Type.Object(Extremes, {
        ...closed,
        description: 'the extremes that were seen, before the method cut any off; for the reader alone',
      }),
    ),
  },
  { ...closed, description: 'the range that is quantized: min and max, such as { "min": -1.5, "max": 6 }' },
);

/** The file of `quantize --save-ranges`: what a calibration found, and what it was found with. */
export const SavedRangesSchema = Type.Object(
  {
    format: Type.Literal('ptq-agent ranges', { description: 'the kind of file: "ptq-agent ranges"' }),
    version: Type.Literal(1, { description: 'the version of the format: 1' }),
    model: Type.Object(
      {
        file: Type.String({ description: 'name of the model file' }),
        sha256: Digest('of the model file, or of it and its external data'),
      },
      { ...closed, description: 'the model whose tensors these are: file and sha256' },
    ),
    data: Type.Object(
      {
        file: Type.String({ description: 'name of the data file' }),
        sha256: Digest('of the data file'),
        split: Type.String({ description: 'the split that calibrated' }),
        samples: Type.Integer({ minimum: 1, description: 'how many samples calibrated' }),
      },
      { ...closed, description: 'what calibrated: file, sha256, split and samples' },
    ),
    calibration: Type.Object(
      {
        method: Type.Enum([...CALIBRATION_METHODS], { description: 'how values became ranges' }),
        percentile: Type.Optional(Type.Number({ exclusiveMinimum: 50, maximum: 100 })),
        samples: Type.Optional(Type.Integer({ minimum: 1 })),
      },
      { description: 'the settings of the calibration: method, and what belongs to it' },
    ),
    versions: Type.Record(Type.String(), Type.String(), { description: 'of what calibrated' }),
    tensors: Type.Record(Type.String(), SavedRange, { description: 'the ranges by tensor name' }),
  },
  closed,
);

export type SavedRanges = Type.Static<typeof SavedRangesSchema>;

/** JSON with one line for each tensor in the order of their names, so that two files can be compared line by line. */
export function formatRanges({ tensors, ...head }: SavedRanges): string {
  const lines = Object.entries(tensors)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, range]) => `    ${JSON.stringify(name)}: ${onOneLine(range)}`);
  const start = JSON.stringify(head, null, 2).replace(/\n\}$/, '');
  return `${start},\n  "tensors": {\n${lines.join(',\n')}\n  }\n}\n`;
}

function onOneLine({ min, max, observed }: SavedRanges['tensors'][string]): string {
  const extremes = (range: { readonly min: number; readonly max: number }) =>
    `"min": ${JSON.stringify(range.min)}, "max": ${JSON.stringify(range.max)}`;
  const seen = observed === undefined ? '' : `, "observed": { ${extremes(observed)} }`;
  return `{ ${extremes({ min, max })}${seen} }`;
}
