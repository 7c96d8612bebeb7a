import type { ByteSource } from './byte-source.ts';

const AHEAD_BYTES = 256 * 1024;

// Between two items there may be a line ending and blank lines.
const MAX_GAP_BYTES = 64;

/**
 * A source that, while small reads follow each other in the file, reads 256 KiB at a time and serves them from memory.
 * Reads at other places go to the file alone. Reads may overlap.
 */
export function readAhead(source: ByteSource): ByteSource {
  let expected = 0;
  let block:
    | { readonly start: number; readonly end: number; readonly bytes: Promise<Uint8Array> }
    | undefined;

  const blockFor = (start: number, end: number) => {
    if (block !== undefined && start >= block.start && end <= block.end) return block;
    const follows = start >= expected && start - expected <= MAX_GAP_BYTES;
    if (!follows || end - start > AHEAD_BYTES / 2) return undefined;
    const bytes = new Uint8Array(Math.min(AHEAD_BYTES, source.sizeBytes - start));
    block = { start, end: start + bytes.length, bytes: source.read(bytes, start).then(() => bytes) };
    return block;
  };

  return {
    ...source,
    read: async (into, position) => {
      const end = position + into.length;
      const from = blockFor(position, end);
      expected = end;
      if (from === undefined) return source.read(into, position);
      try {
        const bytes = await from.bytes;
        into.set(bytes.subarray(position - from.start, end - from.start));
      } catch {
        // What cannot be read may lie behind these bytes.
        if (block === from) block = undefined;
        await source.read(into, position);
      }
    },
  };
}
