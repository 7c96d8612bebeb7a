import { ALL_ITEMS, type DataFormat, type DataSpec } from '../core/data-spec.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { neededFields } from './bind-inputs.ts';
import type { DecodeMask } from './formats/image-masks.ts';
import type { DecodeTensorProto } from './formats/test-data-set.ts';
import type { ItemCollection } from './item-collection.ts';
import type { ModelInput } from './sample-source.ts';

/** What a format needs from outside this room. */
export interface OpenCollectionPorts {
  /** Reads ONNX's own tensors; without it the format `test-data-set` takes `.npy` files only. */
  readonly decodeTensorProto?: DecodeTensorProto;
}

export interface OpenCollectionOptions extends OpenCollectionPorts {
  readonly split: string;
  readonly modelInputs: readonly ModelInput[];
  readonly withTruth?: boolean;
}

/**
 * Opens what `spec` names, in the format that it names or that its path tells. Items may have truths though nobody wants
 * them, as labels say which items there are; but none is read from a file of its own then.
 * Errors: those of the formats; `split-missing` for a split of data that is not split; `data-invalid` for settings that mean
 * nothing to the format.
 */
export async function openCollection(
  spec: DataSpec,
  options: OpenCollectionOptions,
): Promise<Result<ItemCollection, Problem>> {
  const format = await formatOf(spec);
  if (!format.ok) return format;
  const foreign = foreignSplit(spec, format.value, options.split) ?? idleSetting(spec, format.value);
  if (foreign !== undefined) return err(foreign);
  // Each format is loaded when it is needed: decoders and parsers take longer to load than a small model to quantize.
  switch (format.value) {
    case 'npz':
      return openNpz(spec, options);
    case 'npy':
      return spec.labels === undefined || options.withTruth !== true
        ? (await import('./formats/npy.ts')).openNpyCollection(spec.path)
        : (await import('./formats/npy-labels.ts')).openLabelledNpy(spec.path, spec.labels);
    case 'images': {
      const decode = options.withTruth ? (await import('./image/decode-mask.ts')).decodeMask : decodeNothing;
      return (await import('./formats/image-folder.ts')).openImageFolder(spec.path, spec.labels, decode);
    }
    case 'wav':
      return (await import('./open-wav-data.ts')).openWavData(spec);
    case 'idx':
      return (await import('./formats/idx.ts')).openIdx(spec.path, spec.labels);
    case 'jsonl':
      return (await import('./formats/jsonl.ts')).openJsonl(spec.path, spec.labels);
    case 'perf-analyzer':
      return (await import('./formats/perf-analyzer.ts')).openPerfAnalyzer(spec.path, {
        spec,
        modelInputs: options.modelInputs,
        withTruth: options.withTruth ?? false,
      });
    case 'test-data-set':
      return (await import('./formats/test-data-set.ts')).openTestDataSet(
        spec.path,
        options.decodeTensorProto,
      );
    case 'random':
      return ok(
        (await import('./formats/random-collection.ts')).createRandomCollection(options.modelInputs, spec),
      );
  }
}

async function formatOf({ format, path }: DataSpec): Promise<Result<DataFormat, Problem>> {
  if (format !== undefined) return ok(format);
  if (path.endsWith('.npz')) return ok('npz');
  return (await import('./formats/guess-format.ts')).guessFormat(path);
}

/** An `.npz` has its own splits, unless the data is split by content, which then is of the arrays for `all`. */
async function openNpz(
  spec: DataSpec,
  { split, modelInputs, withTruth = false }: OpenCollectionOptions,
): Promise<Result<ItemCollection, Problem>> {
  const own = spec.splits === undefined ? split : ALL_ITEMS;
  const arrays = Object.hasOwn(spec.arrays ?? {}, own) ? spec.arrays?.[own] : undefined;
  const needed = neededFields({ spec, modelInputs });
  const { openNpzCollection } = await import('./formats/npz-collection.ts');
  return openNpzCollection(spec.path, {
    split: own,
    withTruth,
    ...(needed === undefined ? {} : { needed }),
    ...(arrays === undefined ? {} : { arrays }),
    ...(spec.labels === undefined ? {} : { labels: spec.labels }),
  });
}

/** Only an `.npz` has splits by itself; what is not split is one whole, which nobody can want a part of. */
function foreignSplit({ path, splits }: DataSpec, format: DataFormat, split: string): Problem | undefined {
  if (format === 'npz' || format === 'random' || splits !== undefined || split === ALL_ITEMS)
    return undefined;
  return problem('split-missing', `the data is not split, so there is no split '${split}'`, {
    place: { file: path },
    hint: `split it by content (data.splits), or take '${ALL_ITEMS}'`,
  });
}

/** Formats in which nothing can be said about the truths. */
const OWN_TRUTHS: Readonly<Partial<Record<DataFormat, string>>> = {
  'test-data-set': 'the outputs of the sets',
  'perf-analyzer': 'the outputs in `validation_data`',
};

/** A setting that the format does not know, and that would be taken to have worked. */
function idleSetting(spec: DataSpec, format: DataFormat): Problem | undefined {
  const { path, arrays, labels, preprocess, inputs = {} } = spec;
  const place = { file: path };
  if (arrays !== undefined && format !== 'npz' && format !== 'random') {
    const message = `\`arrays\` names the arrays of an .npz, but the data is of the format '${format}'`;
    return problem('data-invalid', message, { place, hint: 'leave it out' });
  }
  const own = OWN_TRUTHS[format];
  if (labels !== undefined && own !== undefined) {
    return problem('data-invalid', `\`labels\` have no effect here: they are ${own}`, {
      place,
      hint: 'leave them out',
    });
  }
  const isCut = [preprocess, ...Object.values(inputs)].some((input) => input?.audio !== undefined);
  if (!isCut || spec.module !== undefined || format === 'wav' || format === 'random') return undefined;
  const message = `sampleRate, length and frame are for recordings, but the data is of the format '${format}'`;
  return problem('data-invalid', message, { place, hint: 'leave them out, or give a folder of .wav files' });
}

/** In the place of masks that nobody looks at. */
async function decodeNothing(): ReturnType<DecodeMask> {
  return ok({ width: 0, height: 0, data: new Uint8Array() });
}
