import type { TensorProto } from '../../onnx/messages.ts';

export type Precision = 'float32' | 'float16';

/**
 * What a tensor's values are made from: constants alone, sizes and positions (and constants), or anything else.
 * A constant goes with whoever reads it.
 */
export type Origin = 'constant' | 'integers' | 'data';

/** A float32 tensor of the original model, and the forms in which the converted model has it. */
export interface FloatTensor {
  readonly name: string;
  readonly origin: Origin;
  /** Its values, where the file holds them. */
  readonly constant: TensorProto | undefined;
  /** Its float16 form is limited to the finite range instead of overflowing. */
  readonly saturates: boolean;
  /** The form that must bear the tensor's own name, because a graph declares it as input or output. */
  readonly pinned: Precision | undefined;
  /** The form in which it is made; the other is a copy. Undefined until all readers are known, if it can be both. */
  home: Precision | undefined;
  readonly wanted: Set<Precision>;
}

export function floatTensor(
  name: string,
  more: Partial<Omit<FloatTensor, 'name' | 'wanted'>> = {},
): FloatTensor {
  const { origin = 'data', constant, saturates = false, pinned, home } = more;
  const wanted = new Set<Precision>(pinned === undefined ? [] : [pinned]);
  return { name, origin, constant, saturates, pinned, home, wanted };
}

/** The form for a tensor that can be made in either: float32 where anybody needs its digits. */
export function cheapestHome(tensors: readonly FloatTensor[]): Precision {
  const wanted = new Set(tensors.flatMap((tensor) => [...tensor.wanted]));
  return wanted.has('float16') && !wanted.has('float32') ? 'float16' : 'float32';
}

/** Whether the converted model holds the tensor in that form. */
export function exists(tensor: FloatTensor, precision: Precision): boolean {
  return tensor.home === precision || tensor.wanted.has(precision);
}
