/** bfloat16 bits are the upper half of the float32 of the same value. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index++) words[index] = (bits[index] ?? 0) << 16;
  return new Float32Array(words.buffer);
}
