/** A tensor's element type, in the runtime's words (`float`, `uint8`), and its dimensions. */
export interface TypedShape {
  readonly type: string;
  readonly dims: readonly number[];
}

/** `[{"float":[1,4]},{"int64":[2]}]`, as a profile has it. Anything else is no shapes. */
export function readShapes(text: string): readonly TypedShape[] {
  let shapes: unknown;
  try {
    shapes = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(shapes)) return [];
  return shapes.flatMap((shape: unknown) =>
    typeof shape === 'object' && shape !== null
      ? Object.entries(shape).flatMap(([type, dims]: [string, unknown]) =>
          Array.isArray(dims) && dims.every((dim) => typeof dim === 'number' && dim >= 0)
            ? [{ type, dims: dims as readonly number[] }]
            : [],
        )
      : [],
  );
}

export function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1);
}

const BYTES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  float8e4m3fn: 1,
  float8e4m3fnuz: 1,
  float8e5m2: 1,
  float8e5m2fnuz: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  uint32: 4,
  float: 4,
  int64: 8,
  uint64: 8,
  double: 8,
  int4: 0.5,
  uint4: 0.5,
  int4x2: 0.5,
  uint4x2: 0.5,
};

/** Null where elements of this type have no fixed size. */
function shapeBytes({ type, dims }: TypedShape): number | null {
  const size = BYTES[type];
  return size === undefined ? null : Math.ceil(product(dims) * size);
}

/** Null where the size of one of them is not known. */
export function totalBytes(shapes: readonly TypedShape[]): number | null {
  return shapes.reduce<number | null>((total, shape) => {
    const bytes = shapeBytes(shape);
    return total === null || bytes === null ? null : total + bytes;
  }, 0);
}
