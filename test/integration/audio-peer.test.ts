import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openWav } from '../../src/data/audio/wav-file.ts';
import { openWavFolder } from '../../src/data/audio/wav-folder.ts';
import { findPeerPython } from '../perf/peer-subjects.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

// Holds reading and resampling of random recordings against libsndfile and torchaudio, or its formula in numpy.

interface Expected {
  readonly resampler: 'numpy' | 'torchaudio';
  readonly files: readonly {
    readonly name: string;
    readonly container: string;
    readonly encoding: string;
    readonly channels: number;
    readonly fromHz: number;
    readonly toHz: number;
  }[];
}

const { python, reason } = findPeerPython();
const missing = python === undefined ? reason : missingPackages(python);

/** Why the peer cannot be asked, if so. */
function missingPackages(executable: string): string | undefined {
  try {
    execFileSync(executable, ['-c', 'import numpy, soundfile'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'the Python that PTQ_PEER_PYTHON names lacks numpy or soundfile';
  }
}

function floats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

describe('parity with libsndfile and torchaudio', () => {
  if (python === undefined || missing !== undefined) {
    it(`is not tested: ${missing}`, (context) => {
      context.skip(missing);
    });
    return;
  }

  it('holds for random recordings of every container, encoding and pair of rates', {
    timeout: 300_000,
  }, async () => {
    const folder = temporaryFolder();
    const seed = Math.floor(Math.random() * 2 ** 31);
    execFileSync(python, [fileURLToPath(new URL('audio-peer.py', import.meta.url)), folder, String(seed)]);
    const { files, resampler } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
    expect(files).toHaveLength(48);
    // Sums in double precision differ by the last rounding to float32 alone; torchaudio adds up in float32.
    const tolerance = resampler === 'numpy' ? 2e-7 : 1e-5;
    for (const { name, fromHz, toHz, ...what } of files) {
      const path = join(folder, `${name}.wav`);
      const about = `seed ${seed}: ${JSON.stringify(what)} ${fromHz} Hz to ${toHz} Hz`;
      const expected = floats(join(folder, `${name}.mono`));
      const file = unwrap(await openWav(path));
      expect(file.sampleRateHz, about).toBe(fromHz);
      expect(unwrap(await file.readFrames(0, file.frames)), about).toEqual(expected);
      await file.close();
      if (expected.length === 0) continue;
      const resampled = unwrap(await openWavFolder(path, { audio: { sampleRate: toHz } }));
      const field = unwrap(await resampled.read(0)).fields['audio'];
      await resampled.close();
      if (field?.kind !== 'tensor') throw new Error('no tensor');
      expect(
        largestDifference(field.tensor.data as Float32Array, floats(join(folder, `${name}.resampled`))),
        about,
      ).toBeLessThan(tolerance);
    }
  });
});

/** Infinite where the lengths differ. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) largest = Math.max(largest, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return largest;
}
