/**
 * Unpacks `count` elements of 2 or 4 bits, the first in the lowest bits of its byte, into one byte each.
 * Source: the comments on `raw_data` in onnx/onnx.proto.
 */
export function unpackBits(
  packed: Uint8Array,
  count: number,
  bitsPerElement: number,
  isSigned: boolean,
): Int8Array | Uint8Array {
  const perByte = 8 / bitsPerElement;
  const unused = 32 - bitsPerElement;
  const values = isSigned ? new Int8Array(count) : new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const byte = packed[Math.floor(index / perByte)] ?? 0;
    const high = (byte >>> ((index % perByte) * bitsPerElement)) << unused;
    values[index] = isSigned ? high >> unused : high >>> unused;
  }
  return values;
}
