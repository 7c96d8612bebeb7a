import type { ByteSource } from './byte-source.ts';
import { FieldParts } from './field-parts.ts';
import type { AnyMessage, Field, MessageSchema, NumberKind, PayloadKind } from './message-schema.ts';
import type { Payload } from './messages.ts';
import { MAX_DEPTH, tooDeep, WIRE_TYPE, WireReader, wireProblem } from './wire.ts';
import { decodeText } from './wire-text.ts';

/** Payloads of at least this size stay in the file. */
const LAZY_PAYLOAD_BYTES = 4096;

// What one value costs against the limit of `WireReader.charge`, roughly in units of 16 bytes of memory.
const MESSAGE_WEIGHT = 16;
const BYTES_WEIGHT = 4;

/** Where one message is being read: its end, its depth, and what came in parts so far. */
interface Scope {
  readonly reader: WireReader;
  readonly end: number;
  readonly depth: number;
  readonly parts: FieldParts;
}

/**
 * Reads the whole of `source` as one message of `schema`. Fields that the schema does not know, and known fields with
 * another wire type, go into `unknown`. Throws a `ProblemError` of `WireProblemKind`.
 */
export function decodeMessage(schema: MessageSchema, source: ByteSource): AnyMessage {
  const target = emptyMessage(schema);
  decodeInto(target, schema, new WireReader(source), source.sizeBytes, 1);
  return target;
}

function emptyMessage(schema: MessageSchema): AnyMessage {
  const empty = { ...schema.template };
  for (const key of schema.lists) empty[key] = [];
  return empty;
}

function decodeInto(
  target: AnyMessage,
  schema: MessageSchema,
  reader: WireReader,
  end: number,
  depth: number,
): void {
  if (depth > MAX_DEPTH) throw tooDeep(reader.position);
  const scope: Scope = { reader, end, depth, parts: new FieldParts() };
  while (reader.position < end) {
    const start = reader.position;
    const tag = reader.tag();
    const field = schema.byNumber[tag >>> 3];
    if (field === undefined || !decodeField(target, field, tag & 7, scope)) {
      reader.charge(BYTES_WEIGHT);
      reader.skipValue(tag, end);
      scope.parts.add('unknown', reader.since(start));
    }
  }
  if (reader.position > end) {
    throw wireProblem('malformed', `A ${schema.name} goes beyond its end at byte ${end}.`);
  }
  scope.parts.finish(target);
}

/** False, with nothing read, when the field cannot have this wire type. */
function decodeField(target: AnyMessage, field: Field, wireType: number, scope: Scope): boolean {
  const { kind } = field;
  switch (kind) {
    case 'int32':
    case 'int64':
    case 'bigint':
    case 'float':
      return decodeNumbers(target, field, kind, wireType, scope);
    case 'payload':
    case 'payload-fixed32':
    case 'payload-fixed64':
    case 'payload-varint':
      return decodePayload(target, field, kind, wireType, scope);
    default:
      if (wireType !== WIRE_TYPE.bytes) return false;
      decodeRange(target, field, kind, scope);
      return true;
  }
}

function decodeRange(
  target: AnyMessage,
  field: Field,
  kind: 'string' | 'bytes' | 'wire' | (() => MessageSchema),
  scope: Scope,
): void {
  const { reader } = scope;
  const size = reader.length(scope.end);
  if (typeof kind === 'function') {
    reader.charge(MESSAGE_WEIGHT);
    const schema = kind();
    // A message that comes twice is merged, as the encoding guide asks for.
    const earlier = field.repeated ? undefined : (target[field.key] as AnyMessage | undefined);
    const message = earlier ?? emptyMessage(schema);
    decodeInto(message, schema, reader, reader.position + size, scope.depth + 1);
    assign(target, field, message, scope);
    return;
  }
  reader.charge(BYTES_WEIGHT);
  if (kind === 'string') assign(target, field, decodeText(reader.take(size)), scope);
  else if (kind === 'bytes' || field.repeated) assign(target, field, reader.keep(size), scope);
  else {
    clearOthers(target, field, scope);
    scope.parts.add(field.key, reader.keep(size));
  }
}

function decodeNumbers(
  target: AnyMessage,
  field: Field,
  kind: NumberKind,
  wireType: number,
  scope: Scope,
): boolean {
  const { reader } = scope;
  const isPacked = wireType === WIRE_TYPE.bytes && field.repeated;
  if (!isPacked && wireType !== (kind === 'float' ? WIRE_TYPE.fixed32 : WIRE_TYPE.varint)) return false;
  const size = isPacked ? reader.length(scope.end) : 1;
  const end = reader.position + size;
  while (reader.position < end) {
    reader.charge(1);
    assign(target, field, kind === 'float' ? reader.float(scope.end) : reader[kind](), scope);
  }
  if (isPacked && reader.position !== end) {
    throw wireProblem('malformed', `The packed numbers of ${field.key} go beyond their end at byte ${end}.`);
  }
  return true;
}

function decodePayload(
  target: AnyMessage,
  field: Field,
  kind: PayloadKind,
  wireType: number,
  scope: Scope,
): boolean {
  const { reader, parts } = scope;
  const element = ELEMENT[kind];
  if (wireType === WIRE_TYPE.bytes) {
    const size = reader.length(scope.end);
    if (size % element.sizeBytes !== 0) {
      throw wireProblem(
        'malformed',
        `The ${size} bytes of ${field.key} before byte ${reader.position} are no multiple of ${element.sizeBytes}.`,
      );
    }
    const payload = keepPayload(reader, size);
    if (kind === 'payload') assign(target, field, payload, scope);
    else parts.add(field.key, payload);
    return true;
  }
  if (wireType !== element.wireType) return false;
  reader.charge(BYTES_WEIGHT);
  const start = reader.position;
  reader.skipValue(wireType, scope.end);
  parts.add(field.key, { kind: 'memory', bytes: reader.since(start) });
  return true;
}

const ELEMENT: Readonly<Record<PayloadKind, { readonly wireType: number; readonly sizeBytes: number }>> = {
  payload: { wireType: WIRE_TYPE.bytes, sizeBytes: 1 },
  'payload-fixed32': { wireType: WIRE_TYPE.fixed32, sizeBytes: 4 },
  'payload-fixed64': { wireType: WIRE_TYPE.fixed64, sizeBytes: 8 },
  'payload-varint': { wireType: WIRE_TYPE.varint, sizeBytes: 1 },
};

function keepPayload(reader: WireReader, sizeBytes: number): Payload {
  const { source, position: offset } = reader;
  if (source.file !== undefined && sizeBytes < LAZY_PAYLOAD_BYTES) {
    return { kind: 'memory', bytes: reader.keep(sizeBytes) };
  }
  reader.skip(sizeBytes);
  return source.file === undefined
    ? { kind: 'memory', bytes: source.read(offset, sizeBytes) }
    : { kind: 'file', file: source.file, offset, sizeBytes };
}

function assign(target: AnyMessage, field: Field, value: unknown, scope: Scope): void {
  if (field.repeated) {
    (target[field.key] as unknown[]).push(value);
    return;
  }
  clearOthers(target, field, scope);
  target[field.key] = value;
}

/** Of the members of a `oneof` the last one counts. */
function clearOthers(target: AnyMessage, field: Field, scope: Scope): void {
  for (const other of field.clears) {
    target[other] = undefined;
    scope.parts.clear(other);
  }
}
