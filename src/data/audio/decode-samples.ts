import type { WavEncoding } from './wav-header.ts';

/**
 * Decodes whole frames of interleaved channels to mono, the mean of the channels. Integers become −1 up to 1 by their
 * full scale: (x − 128)/128, x/2¹⁵, x/2²³, x/2³¹, as libsndfile and torchaudio do; floating-point samples stay as they
 * are. Channels are rounded to float32 as those libraries give them, and their mean is rounded once more.
 * @param bytes exactly the frames that `target` has room for
 */
export function decodeToMono(
  bytes: Buffer,
  encoding: WavEncoding,
  channels: number,
  target: Float32Array,
): void {
  if (channels === 1) {
    decode(bytes, encoding, target);
    return;
  }
  const interleaved = new Float32Array(target.length * channels);
  decode(bytes, encoding, interleaved);
  for (let frame = 0, at = 0; frame < target.length; frame += 1) {
    let sum = 0;
    for (const end = at + channels; at < end; at += 1) sum += interleaved[at] as number;
    target[frame] = sum / channels;
  }
}

function decode(bytes: Buffer, encoding: WavEncoding, target: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = target.length;
  switch (encoding) {
    case 'u8':
      for (let i = 0; i < count; i += 1) target[i] = (view.getUint8(i) - 128) / 128;
      return;
    case 's16':
      for (let i = 0; i < count; i += 1) target[i] = view.getInt16(2 * i, true) / 2 ** 15;
      return;
    case 's24':
      for (let i = 0; i < count; i += 1) {
        const low = view.getUint16(3 * i, true);
        target[i] = (low + view.getInt8(3 * i + 2) * 65_536) / 2 ** 23;
      }
      return;
    case 's32':
      for (let i = 0; i < count; i += 1) target[i] = view.getInt32(4 * i, true) / 2 ** 31;
      return;
    case 'float32':
      for (let i = 0; i < count; i += 1) target[i] = view.getFloat32(4 * i, true);
      return;
    case 'float64':
      for (let i = 0; i < count; i += 1) target[i] = view.getFloat64(8 * i, true);
      return;
    case 'a-law':
      decodeByTable(view, companded(expandALaw), target);
      return;
    case 'mu-law':
      decodeByTable(view, companded(expandMuLaw), target);
      return;
  }
}

function decodeByTable(view: DataView, table: Float32Array, target: Float32Array): void {
  for (let i = 0; i < target.length; i += 1) target[i] = table[view.getUint8(i)] as number;
}

/** What each of the 256 codes stands for, −1 up to 1. */
function companded(expand: (code: number) => number): Float32Array {
  // Mu-law has a code for minus zero, which becomes zero.
  return Float32Array.from({ length: 256 }, (_, code) => expand(code) / 2 ** 15 + 0);
}

/** A sample of 16 bits from one of A-law. Source: ITU-T G.711, table 1. */
function expandALaw(code: number): number {
  // Every second bit is inverted on the line.
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

/** A sample of 16 bits from one of mu-law. Source: ITU-T G.711, table 2. */
function expandMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const exponent = (bits >> 4) & 7;
  const magnitude = ((((bits & 15) << 3) + 132) << exponent) - 132;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}
