import { payloadBytes, payloadSizeBytes } from './byte-source.ts';
import type { AnyMessage } from './message-schema.ts';
import type { Payload } from './messages.ts';

type Part = Uint8Array | Payload;

/**
 * What came for the fields of one message that may come in several parts: unknown fields, packed lists, and messages
 * kept as bytes. They are joined once, at the end, so that a list of single elements takes linear time.
 */
export class FieldParts {
  #parts: Map<string, Part[]> | undefined;

  add(key: string, part: Part): void {
    this.#parts ??= new Map();
    const list = this.#parts.get(key);
    if (list === undefined) this.#parts.set(key, [part]);
    else list.push(part);
  }

  clear(key: string): void {
    this.#parts?.delete(key);
  }

  /** Sets the joined fields of `target`, after what an earlier part of the same message has set. */
  finish(target: AnyMessage): void {
    if (this.#parts === undefined) return;
    for (const [key, parts] of this.#parts) {
      const earlier = target[key] as Part | undefined;
      target[key] = joined(earlier === undefined ? parts : [earlier, ...parts]);
    }
  }
}

function joined(parts: readonly Part[]): Part {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const sizes = parts.map((part) => (part instanceof Uint8Array ? part.byteLength : payloadSizeBytes(part)));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [index, part] of parts.entries()) {
    bytes.set(part instanceof Uint8Array ? part : payloadBytes(part), at);
    at += sizes[index] ?? 0;
  }
  return first instanceof Uint8Array ? bytes : { kind: 'memory', bytes };
}
