import type { InputSpec, TokenizeSpec } from '../core/data-spec.ts';
import { type Problem, type ProblemPlace, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { convertElements, isConvertible } from './convert-elements.ts';
import { fedDims, formatDims } from './fed-dims.ts';
import type { InputBinding } from './input-binding.ts';
import type { FieldInfo, FieldValue } from './item-collection.ts';
import type { ModelInput } from './sample-source.ts';
import { openTokenizer, type TextEncoding, type TextTokenizer } from './text/tokenize.ts';

/** Opens a tokenizer; see `shareTokenizers`. */
export type OpenTokenizer = (spec: TokenizeSpec) => Promise<Result<TextTokenizer, Problem>>;

/**
 * One tokenizer for all inputs that are made of it, which remembers the last text: ids, mask and types of a text are
 * wanted one after the other.
 */
export function shareTokenizers(): OpenTokenizer {
  const opened = new Map<string, Promise<Result<TextTokenizer, Problem>>>();
  return ({ output: _, ...spec }) => {
    const key = JSON.stringify(spec);
    const known = opened.get(key) ?? openTokenizer(spec).then(rememberLast);
    opened.set(key, known);
    return known;
  };
}

function rememberLast(tokenizer: Result<TextTokenizer, Problem>): Result<TextTokenizer, Problem> {
  if (!tokenizer.ok) return tokenizer;
  let last: { readonly text: string; readonly encoding: TextEncoding } | undefined;
  return ok({
    encode: (text) => {
      if (last?.text !== text) last = { text, encoding: tokenizer.value.encode(text) };
      return last.encoding;
    },
  });
}

interface BindingOfText {
  readonly spec: InputSpec | undefined;
  readonly file: string;
  readonly open: OpenTokenizer;
}

/**
 * Feeds what a tokenizer makes of a text: ids, attention mask or type ids, [1, tokens].
 * Errors: `tokenizer-missing`, and what opening one finds; `input-missing` where nothing says what the input is;
 * `preprocess-invalid` for steps that texts have not; `dtype-mismatch`; `shape-mismatch`; `value-unrepresentable`.
 */
export async function bindText(
  input: ModelInput,
  field: FieldInfo,
  { spec, file, open }: BindingOfText,
): Promise<Result<InputBinding, Problem>> {
  const place = { file, tensor: input.name };
  const tokenize = spec?.tokenize;
  if (tokenize === undefined) {
    return err(
      problem(
        'tokenizer-missing',
        `the field '${field.name}' is text, the model's input '${input.name}' is ${input.type}`,
        {
          place,
          hint: 'name a tokenizer: preprocess: { tokenize: { tokenizer: tokenizer.json } }',
        },
      ),
    );
  }
  const needless = NUMERIC_STEPS.find((step) => spec?.[step] !== undefined);
  if (needless !== undefined) {
    const message = `\`${needless}\` has no effect on the input '${input.name}', which is made of text`;
    return err(problem('preprocess-invalid', message, { place, hint: 'leave it out' }));
  }
  const output = outputFor(tokenize, input);
  if (output === undefined) {
    return err(
      problem('input-missing', `nothing that a tokenizer gives is known to feed the input '${input.name}'`, {
        place,
        hint: `say which by data.inputs.${input.name}.tokenize.output: ids, attention-mask or type-ids`,
      }),
    );
  }
  if (!isConvertible('int64', input.type)) {
    const message = `token ids are integers, the model's input '${input.name}' is ${input.type}`;
    return err(problem('dtype-mismatch', message, { place, hint: 'name another field by `from`' }));
  }
  const tokenizer = await open(tokenize);
  if (!tokenizer.ok) return tokenizer;
  const { padding, maxLength } = tokenize;
  const row = padding === 'max-length' && maxLength !== undefined ? [maxLength] : undefined;
  const dims = row === undefined ? undefined : fedDims(row, input.dims);
  if (row !== undefined && dims === undefined) return err(unfit(row, input, place));
  return ok({
    fed: { name: input.name, type: input.type, dims },
    field: field.name,
    prepare: async (value, at) => {
      const ids = tokenizer.value.encode((value as FieldValue & { kind: 'text' }).text)[output];
      const found = { ...at, tensor: input.name };
      const fed = fedDims([ids.length], input.dims);
      if (fed === undefined) return err(unfit([ids.length], input, found));
      const data = convertElements(ids, 'int64', input.type);
      if (!data.ok) {
        const message = `the token id ${data.error.value} is more than ${input.type} can hold`;
        const hint = 'use the tokenizer that belongs to the model';
        return err(problem('value-unrepresentable', message, { place: found, hint }));
      }
      return ok({ tensor: { type: input.type, dims: fed, data: data.value } });
    },
  });
}

const NUMERIC_STEPS = ['image', 'scale', 'mean', 'std', 'dims'] as const;

const OUTPUTS = { ids: 'ids', 'attention-mask': 'attentionMask', 'type-ids': 'typeIds' } as const;

/**
 * By what the settings say, otherwise by the names that exporters of transformers give, whatever TensorFlow puts behind
 * them (`input_ids:0`). Other ids and masks, such as `position_ids`, are none that a tokenizer gives.
 */
function outputFor({ output }: TokenizeSpec, { name }: ModelInput): keyof TextEncoding | undefined {
  if (output !== undefined) return OUTPUTS[output];
  const stem = name
    .toLowerCase()
    .replace(/[:._]?\d+$/, '')
    .replaceAll('_', '');
  if (/^(?:tokentypeids?|typeids?|segmentids?|segments?)$/.test(stem)) return 'typeIds';
  if (/^(?:attention|input|token)?masks?$/.test(stem)) return 'attentionMask';
  return /^(?:input|token)?(?:ids|tokens)$/.test(stem) ? 'ids' : undefined;
}

function unfit(row: readonly number[], input: ModelInput, place: ProblemPlace): Problem {
  return problem(
    'shape-mismatch',
    `a text of ${row} tokens does not fit the model's input '${input.name}', which is [${formatDims(input.dims)}]`,
    { place, hint: 'set maxLength, and padding: max-length, to what the model takes' },
  );
}
