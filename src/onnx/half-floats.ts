/** float16 bits (IEEE 754 binary16) as float32, which holds every value of it exactly. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let index = 0; index < bits.length; index++) {
    const half = bits[index] ?? 0;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      // Zeros and subnormals are multiples of 2^-24.
      values[index] = (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
    } else {
      // The exponent's bias grows from 15 to 127; infinities and NaN keep an exponent of all ones.
      const widened = exponent === 0x1f ? 0xff : exponent + 112;
      words[index] = sign | (widened << 23) | (fraction << 13);
    }
  }
  return values;
}

/** bfloat16 bits are the upper half of the float32 of the same value. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index++) words[index] = (bits[index] ?? 0) << 16;
  return new Float32Array(words.buffer);
}
