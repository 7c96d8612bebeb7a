import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, int64Npy, npy, npz } from '../unit/data/npz-writer.ts';

const CHUNK = 512;
/** Every chunk comes with the end of the one before it. */
const CONTEXT = 64;
const SAMPLE_RATE = 16000;

/**
 * Writes an npz for silero_vad from its `test.wav` (16 bits, mono, 16 kHz), with the splits `calib` and `eval`: `input`
 * [chunks, 576] float32 and `sr` [chunks] int64. The carried state is no part of it.
 */
export function writeSileroData(modelFolder: string, path: string): { readonly chunks: number } {
  const samples = readWav(join(modelFolder, 'test.wav'));
  const chunks = Math.floor((samples.length - 1) / CHUNK);
  const rows = new Float32Array(chunks * (CONTEXT + CHUNK));
  for (let chunk = 0; chunk < chunks; chunk++) {
    for (let i = 0; i < CONTEXT + CHUNK; i++) {
      rows[chunk * (CONTEXT + CHUNK) + i] = samples[chunk * CHUNK + i - CONTEXT] ?? 0;
    }
  }
  const input = npy('<f4', [chunks, CONTEXT + CHUNK], bytesOf(rows));
  const sr = int64Npy(
    [chunks],
    Array.from({ length: chunks }, () => SAMPLE_RATE),
  );
  const arrays = { 'calib/input': input, 'calib/sr': sr, 'eval/input': input, 'eval/sr': sr };
  writeFileSync(path, npz(arrays));
  return { chunks };
}

/** The samples of a plain 16-bit WAV file, −1 up to 1. */
function readWav(path: string): Float32Array {
  const bytes = readFileSync(path);
  let offset = 12;
  while (bytes.toString('latin1', offset, offset + 4) !== 'data')
    offset += 8 + bytes.readUInt32LE(offset + 4);
  const count = bytes.readUInt32LE(offset + 4) / 2;
  return Float32Array.from({ length: count }, (_, i) => bytes.readInt16LE(offset + 8 + 2 * i) / 32768);
}
