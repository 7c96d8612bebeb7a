import type { Payload } from './messages.ts';
import { WIRE_TYPE } from './wire.ts';

/** What the elements of a payload's field are on the wire when they are not packed into one range of bytes. */
export type PayloadKind = 'payload' | 'payload-fixed32' | 'payload-fixed64' | 'payload-varint';

/** `int64` must be exact as a number; `bigint` is a 64-bit integer too. */
export type NumberKind = 'int32' | 'int64' | 'bigint' | 'float';

/**
 * The kind of one value. `wire` is a message that is kept as its bytes; a function gives the schema of a message, late
 * because the schemas refer to each other.
 */
export type ValueKind = 'string' | 'bytes' | 'wire' | NumberKind | PayloadKind | (() => MessageSchema);

export interface Field {
  readonly key: string;
  readonly number: number;
  readonly kind: ValueKind;
  readonly repeated: boolean;
  /** Field number and wire type as they are written. */
  readonly tag: number;
  readonly tagSizeBytes: number;
  /** The other keys of its `oneof`: setting this field clears them. */
  readonly clears: readonly string[];
}

export interface MessageSchema {
  readonly name: string;
  /** In ascending order of field number, which is the order in which they are written. */
  readonly fields: readonly Field[];
  /** Indexed by field number. */
  readonly byNumber: readonly (Field | undefined)[];
  /** All keys, unset: copies of it share one shape, which makes decoding fast. */
  readonly template: AnyMessage;
  /** The keys of the repeated fields. */
  readonly lists: readonly string[];
}

/** A message in the hands of the codec, which knows its fields from the schema alone. */
export type AnyMessage = Record<string, unknown> & { unknown?: Uint8Array | undefined };

type KindOf<V> = V extends string
  ? 'string'
  : V extends number
    ? 'int32' | 'int64' | 'float'
    : V extends bigint
      ? 'bigint'
      : V extends Uint8Array
        ? 'bytes' | 'wire'
        : V extends Payload
          ? PayloadKind
          : () => MessageSchema;

type FieldSpec<V> = V extends readonly (infer E)[]
  ? readonly [number: number, kind: KindOf<E>, repeated: 'repeated']
  : readonly [number: number, kind: KindOf<V>];

type FieldSpecs<M> = { readonly [K in Exclude<keyof M, 'unknown'>]-?: FieldSpec<NonNullable<M[K]>> };

/** Describes the message `M`. The compiler sees to it that no field is forgotten and that each kind fits its type. */
export function message<M>(
  name: string,
  specs: FieldSpecs<M>,
  oneof: readonly (keyof FieldSpecs<M>)[] = [],
): MessageSchema {
  const entries = Object.entries<readonly [number, ValueKind, 'repeated'?]>(specs);
  const members = oneof.map(String);
  const fields = entries
    .map(([key, [number, kind, repeated]]) => ({
      key,
      number,
      kind,
      repeated: repeated !== undefined,
      tag: (number << 3) | wireTypeOf(kind),
      // Only field numbers of up to 15 share a byte with the wire type; those of ONNX are below 2048.
      tagSizeBytes: number < 16 ? 1 : 2,
      clears: members.includes(key) ? members.filter((member) => member !== key) : [],
    }))
    .sort((a, b) => a.number - b.number);
  const template = Object.fromEntries(fields.map(({ key }) => [key, undefined]));
  const lists = fields.filter((field) => field.repeated).map(({ key }) => key);
  const byNumber: (Field | undefined)[] = [];
  for (const field of fields) byNumber[field.number] = field;
  return { name, fields, byNumber, template: { ...template, unknown: undefined }, lists };
}

function wireTypeOf(kind: ValueKind): number {
  if (kind === 'float') return WIRE_TYPE.fixed32;
  return kind === 'int32' || kind === 'int64' || kind === 'bigint' ? WIRE_TYPE.varint : WIRE_TYPE.bytes;
}
