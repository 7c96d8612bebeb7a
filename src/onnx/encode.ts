import { bigintSizeBytes, varintSizeBytes } from '../core/varint.ts';
import { payloadBytes, payloadSizeBytes } from './byte-source.ts';
import type { AnyMessage, MessageSchema, ValueKind } from './message-schema.ts';
import type { Payload } from './messages.ts';
import { textSizeBytes } from './wire-text.ts';
import { type ByteSink, WireWriter } from './wire-writer.ts';

/** A message measured and ready to be written. `sizeBytes` is exact. */
export interface Encoding {
  readonly sizeBytes: number;
  /** Throws what the sink throws. Payloads are handed to the sink one at a time. */
  writeTo(sink: ByteSink): void;
}

/**
 * Prepares `message` for writing, fields in the order of their numbers and unknown fields last. Where a message is a
 * key of `substitutes`, the value is written in its place, so that a variant can be written without changing the model.
 */
export function encodeMessage(
  schema: MessageSchema,
  message: AnyMessage,
  substitutes: ReadonlyMap<unknown, unknown> = new Map(),
): Encoding {
  const sizes: number[] = [];
  const sizeBytes = measure(schema, message, sizes, substitutes);
  return {
    sizeBytes,
    writeTo: (sink) => {
      const writer = new WireWriter(sink);
      write(schema, message, { writer, substitutes, sizes, next: 0 });
      writer.flush();
    },
  };
}

/** `encodeMessage` into one array; payloads that are still in a file are read. */
export function encodeToBytes(schema: MessageSchema, message: AnyMessage): Uint8Array {
  const encoding = encodeMessage(schema, message);
  const bytes = new Uint8Array(encoding.sizeBytes);
  let at = 0;
  encoding.writeTo({
    write: (part) => {
      bytes.set(part, at);
      at += part.byteLength;
    },
    writePayload: (payload) => {
      const part = payloadBytes(payload);
      bytes.set(part, at);
      at += part.byteLength;
    },
  });
  return bytes;
}

type Substitutes = ReadonlyMap<unknown, unknown>;

/**
 * Size of `message` without its own prefix. The sizes of the messages in it are left in `sizes` in the order in which
 * `write` meets them, so that every message is measured once whatever its depth.
 */
function measure(
  schema: MessageSchema,
  message: AnyMessage,
  sizes: number[],
  substitutes: Substitutes,
): number {
  let total = message.unknown?.byteLength ?? 0;
  for (const field of schema.fields) {
    const value = message[field.key];
    if (value === undefined) continue;
    if (!field.repeated) {
      total += field.tagSizeBytes + measureValue(field.kind, value, sizes, substitutes);
      continue;
    }
    for (const element of value as readonly unknown[]) {
      total += field.tagSizeBytes + measureValue(field.kind, element, sizes, substitutes);
    }
  }
  return total;
}

function measureValue(kind: ValueKind, value: unknown, sizes: number[], substitutes: Substitutes): number {
  switch (kind) {
    case 'string':
      return prefixed(textSizeBytes(value as string));
    case 'bytes':
    case 'wire':
      return prefixed((value as Uint8Array).byteLength);
    case 'int32':
    case 'int64':
      return varintSizeBytes(value as number);
    case 'bigint':
      return bigintSizeBytes(value as bigint);
    case 'float':
      return 4;
    case 'payload':
    case 'payload-fixed32':
    case 'payload-fixed64':
    case 'payload-varint':
      return prefixed(payloadSizeBytes(value as Payload));
    default: {
      const index = sizes.push(0) - 1;
      const size = measure(kind(), (substitutes.get(value) ?? value) as AnyMessage, sizes, substitutes);
      sizes[index] = size;
      return prefixed(size);
    }
  }
}

/** Where messages are written to, and the sizes that `measure` found, of which `next` is due. */
interface Output {
  readonly writer: WireWriter;
  readonly substitutes: Substitutes;
  readonly sizes: readonly number[];
  next: number;
}

function write(schema: MessageSchema, message: AnyMessage, output: Output): void {
  for (const field of schema.fields) {
    const value = message[field.key];
    if (value === undefined) continue;
    if (!field.repeated) {
      output.writer.varint(field.tag);
      writeValue(field.kind, value, output);
      continue;
    }
    for (const element of value as readonly unknown[]) {
      output.writer.varint(field.tag);
      writeValue(field.kind, element, output);
    }
  }
  if (message.unknown !== undefined) output.writer.bytes(message.unknown);
}

function writeValue(kind: ValueKind, value: unknown, output: Output): void {
  const { writer } = output;
  switch (kind) {
    case 'string':
      writer.text(value as string);
      break;
    case 'bytes':
    case 'wire':
      writer.prefixed(value as Uint8Array);
      break;
    case 'int32':
    case 'int64':
      writer.varint(value as number);
      break;
    case 'bigint':
      writer.bigint(value as bigint);
      break;
    case 'float':
      writer.float(value as number);
      break;
    case 'payload':
    case 'payload-fixed32':
    case 'payload-fixed64':
    case 'payload-varint':
      writer.varint(payloadSizeBytes(value as Payload));
      writer.payload(value as Payload);
      break;
    default:
      writer.varint(output.sizes[output.next++] ?? 0);
      write(kind(), (output.substitutes.get(value) ?? value) as AnyMessage, output);
  }
}

function prefixed(sizeBytes: number): number {
  return varintSizeBytes(sizeBytes) + sizeBytes;
}
