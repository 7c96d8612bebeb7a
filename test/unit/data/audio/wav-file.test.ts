import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../../src/core/problem.ts';
import { openWav, type WavFile } from '../../../../src/data/audio/wav-file.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { chunk, extensibleFormat, longSizes, plainFormat, shorts, wav } from './wav-writer.ts';

interface RecordedFile {
  readonly container: string;
  readonly encoding: string;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly file: string;
  readonly mono: readonly number[];
}

const fixture = fileURLToPath(new URL('../../../fixtures/audio/audio.json', import.meta.url));
const { recordings } = JSON.parse(readFileSync(fixture, 'utf8')) as { recordings: readonly RecordedFile[] };

async function open(content: Uint8Array): Promise<WavFile> {
  return unwrap(await openWav(write(content)));
}

function write(content: Uint8Array): string {
  const path = join(temporaryFolder(), 'recording.wav');
  writeFileSync(path, content);
  return path;
}

async function samplesOf(content: Uint8Array): Promise<readonly number[]> {
  const file = await open(content);
  const samples = unwrap(await file.readFrames(0, file.frames));
  await file.close();
  return [...samples];
}

/** The problem of opening, whose place must be the file. */
async function problemOf(content: Uint8Array): Promise<Problem | undefined> {
  const path = write(content);
  const file = await openWav(path);
  if (file.ok) await file.value.close();
  else expect(file.error.place?.file).toBe(path);
  return file.ok ? undefined : file.error;
}

describe('samples of every encoding', () => {
  it.each(recordings)(
    'are what libsndfile reads: $container $encoding with $channels channels',
    async ({ file: content, channels, sampleRateHz, mono }) => {
      const file = await open(Buffer.from(content, 'base64'));
      expect(file).toMatchObject({ channels, sampleRateHz, frames: mono.length });
      expect([...unwrap(await file.readFrames(0, file.frames))]).toEqual(mono);
      await file.close();
    },
  );

  it('of 16 bits are divided by 32768, so that the lowest is -1', async () => {
    expect(await samplesOf(wav({ data: shorts([-32_768, 0, 16_384, 32_767]) }))).toEqual([
      -1,
      0,
      0.5,
      32_767 / 32_768,
    ]);
  });

  it('of several channels become their mean', async () => {
    const data = shorts([100, 300, -32_768, 32_767]);
    expect(await samplesOf(wav({ format: plainFormat({ channels: 2 }), data }))).toEqual([
      200 / 32_768,
      -0.5 / 32_768,
    ]);
  });

  it('of 12 bits fill the upper bits of two bytes', async () => {
    const format = extensibleFormat({ bits: 12, frameBytes: 2 });
    expect(await samplesOf(wav({ format, data: shorts([0x4000]) }))).toEqual([0.5]);
  });

  it('of both zeros of mu-law are the same zero', async () => {
    const format = plainFormat({ code: 7, bits: 8 });
    expect(await samplesOf(wav({ format, data: Buffer.from([0x7f, 0xff]) }))).toEqual([0, 0]);
  });

  it('that are not a number stay so', async () => {
    const data = Buffer.alloc(8);
    data.writeFloatLE(Number.NaN, 0);
    data.writeFloatLE(2.5, 4);
    expect(await samplesOf(wav({ format: plainFormat({ code: 3, bits: 32 }), data }))).toEqual([
      Number.NaN,
      2.5,
    ]);
  });
});

describe('a range of frames', () => {
  it('is that part of the whole, wherever it lies', async () => {
    const values = Array.from({ length: 200 }, (_, i) => i * 150 - 15_000);
    const file = await open(wav({ format: plainFormat({ channels: 2 }), data: shorts(values) }));
    const all = [...unwrap(await file.readFrames(0, 100))];
    await fc.assert(
      fc.asyncProperty(fc.nat(100), fc.nat(100), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect([...unwrap(await file.readFrames(start, end - start))]).toEqual(all.slice(start, end));
      }),
    );
    await file.close();
  });

  it('may be larger than what is read at once', async () => {
    const data = Buffer.alloc(3 * 2 ** 20 + 2);
    for (let i = 0; i < data.length / 2; i += 1) data.writeInt16LE((i * 31) % 32_768, 2 * i);
    const file = await open(wav({ data }));
    const samples = unwrap(await file.readFrames(1, file.frames - 1));
    for (const i of [0, 524_286, 524_287, 524_288, samples.length - 1]) {
      expect(samples[i]).toBe((((i + 1) * 31) % 32_768) / 32_768);
    }
    await file.close();
  });

  it('beyond the end is a bug of the caller', async () => {
    const file = await open(wav());
    expect(() => file.readFrames(1, 3)).toThrow(RangeError);
    expect(() => file.readFrames(-1, 1)).toThrow(RangeError);
    await file.close();
  });

  it('that is no longer there is a problem', async () => {
    const path = write(wav({ data: shorts(Array.from({ length: 5000 }, (_, i) => i)) }));
    const file = unwrap(await openWav(path));
    truncateSync(path, 8000);
    expect(await file.readFrames(0, 5000)).toMatchObject({
      error: { kind: 'wav-invalid', place: { file: path } },
    });
    await file.close();
  });
});

describe('a header', () => {
  const note = chunk('LIST', Buffer.from('INFOISFT'));

  it('may have other chunks around the samples, of odd sizes too', async () => {
    const odd = chunk('fact', Buffer.from([1, 2, 3]));
    expect(await samplesOf(wav({ before: [odd, note], after: [note] }))).toEqual(
      [1, 2, 3].map((x) => x / 32_768),
    );
  });

  it('may be longer than what is read of it at once', async () => {
    const before = [chunk('bext', Buffer.alloc(10_001))];
    expect(await samplesOf(wav({ before }))).toHaveLength(3);
  });

  it('of a recorder that wrote to a pipe leaves the size open: samples go to the end', async () => {
    for (const [riffSize, dataSize] of [
      [0xffff_ffff, 0xffff_ffff],
      [0, 0],
      [36, 0],
      [0xffff_ffff, 0],
      [0x7fff_f024, 0x7fff_f000],
      [0x8000_0024, 0x8000_0000],
    ] as const) {
      expect(await samplesOf(wav({ riffSize, dataSize })), `${riffSize} ${dataSize}`).toHaveLength(3);
    }
  });

  it('of a recording without samples is that of an empty one, whatever comes behind', async () => {
    expect(await samplesOf(wav({ data: Buffer.alloc(0), after: [note] }))).toEqual([]);
    expect(await samplesOf(wav({ data: Buffer.alloc(0) }))).toEqual([]);
  });

  it('may lack the padding behind the samples', async () => {
    const format = plainFormat({ bits: 8 });
    const padded = wav({ format, data: Buffer.from([128, 0, 192]) });
    expect(await samplesOf(padded.subarray(0, -1))).toEqual([0, -1, 0.5]);
  });

  it('counts whole frames only', async () => {
    const data = Buffer.concat([shorts([1, 2, 3]), Buffer.from([7])]);
    expect(await samplesOf(wav({ data }))).toHaveLength(3);
  });

  it.each(['RF64', 'BW64'])('of %s has its size in a chunk of its own', async (form) => {
    const before = [longSizes(1000, 4)];
    const file = wav({ form, riffSize: 0xffff_ffff, before, dataSize: 0xffff_ffff });
    expect(await samplesOf(file)).toEqual([1 / 32_768, 2 / 32_768]);
  });
});

describe('what is no recording that can be read', () => {
  const short = shorts([1, 2, 3]);

  it.each([
    ['an empty file', Buffer.alloc(0), /RIFF and WAVE/],
    ['text', Buffer.from('this is a text about a recording'), /RIFF and WAVE/],
    ['another RIFF file', Buffer.from('RIFF\x10\0\0\0AVI LIST\0\0\0\0', 'latin1'), /RIFF and WAVE/],
    ['a file without samples', wav().subarray(0, 36), /no data chunk/],
    ['samples before their format', wav({ format: Buffer.alloc(0) }), /format chunk is cut short/],
    ['a short format', wav({ format: Buffer.alloc(14) }), /cut short/],
    ['a short extended format', wav({ format: extensibleFormat().subarray(0, 18) }), /cut short/],
    ['no channels', wav({ format: plainFormat({ channels: 0, frameBytes: 2 }) }), /0 channels/],
    ['no sample rate', wav({ format: plainFormat({ sampleRateHz: 0 }) }), /0 Hz/],
    ['frames of the wrong size', wav({ format: plainFormat({ frameBytes: 3 }) }), /contradicts itself/],
    ['a file that was cut', wav({ data: Buffer.alloc(100) }).subarray(0, 90), /cut short: 100 B .* 46 B/],
    [
      'an RF64 file that was cut',
      wav({ form: 'RF64', before: [longSizes(9e9, 8e9)], dataSize: 0xffff_ffff }),
      /cut/,
    ],
    ['a cut chunk of sizes', wav({ form: 'RF64', before: [chunk('ds64', Buffer.alloc(8))] }), /64-bit sizes/],
  ])('is invalid: %s', async (_what, content, message) => {
    expect(await problemOf(content)).toMatchObject({
      kind: 'wav-invalid',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  it('is invalid: samples of no known format', async () => {
    const content = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'), chunk('data', short)]);
    expect(await problemOf(content)).toMatchObject({
      kind: 'wav-invalid',
      message: expect.stringMatching(/before their format/),
    });
  });

  it('is invalid: more chunks than any recorder writes', async () => {
    const before = Array.from({ length: 5000 }, () => chunk('JUNK', Buffer.alloc(0)));
    expect(await problemOf(wav({ before }))).toMatchObject({ kind: 'wav-invalid' });
  });

  it.each([
    ['Microsoft ADPCM', wav({ format: plainFormat({ code: 2, bits: 4 }) })],
    ['IMA ADPCM', wav({ format: plainFormat({ code: 17, bits: 4 }) })],
    ['MP3', wav({ format: plainFormat({ code: 85, bits: 0 }) })],
    ['codec 0x1234', wav({ format: plainFormat({ code: 0x1234 }) })],
    ['coded as', wav({ format: extensibleFormat({ guidTail: '210711d38644c8c1ca00000000ff' }) })],
    ['64 bits', wav({ format: plainFormat({ bits: 64 }) })],
    ['16 bits', wav({ format: plainFormat({ code: 3, bits: 16 }) })],
    ['16 bits', wav({ format: plainFormat({ code: 6, bits: 16 }) })],
    ['16 bits', wav({ format: plainFormat({ code: 7, bits: 16 }) })],
    ['a big-endian WAVE file', wav({ form: 'RIFX' })],
    ['a FLAC file', Buffer.from('fLaC\0\0\0\x22', 'latin1')],
    ['an Ogg file', Buffer.from('OggS\0\0\0\0', 'latin1')],
    ['an MP3 file', Buffer.from('ID3\x04\0\0\0\0', 'latin1')],
    ['an AIFF file', Buffer.from('FORM\0\0\0\0AIFF', 'latin1')],
  ])('is not supported, and named: %s', async (name, content) => {
    expect(await problemOf(content)).toMatchObject({
      kind: 'wav-unsupported',
      message: expect.stringContaining(name),
      hint: expect.stringContaining('PCM'),
    });
  });

  it('is unreadable: a missing file, a folder', async () => {
    expect(await openWav('/nowhere/a.wav')).toMatchObject({
      error: {
        kind: 'wav-unreadable',
        place: { file: '/nowhere/a.wav' },
        message: expect.stringContaining('it does not exist'),
      },
    });
    expect(await openWav('/')).toMatchObject({ error: { kind: 'wav-unreadable' } });
  });

  it('never throws, whatever the bytes are', async () => {
    const path = write(Buffer.alloc(0));
    const intact = wav({
      format: extensibleFormat(),
      before: [longSizes(90, 6), chunk('LIST', Buffer.alloc(5))],
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(intact.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(intact.length),
        async (changes, length) => {
          const content = Buffer.from(intact);
          for (const [at, byte] of changes) content[at] = byte;
          writeFileSync(path, content.subarray(0, length));
          const file = await openWav(path);
          if (!file.ok) return;
          const all = await file.value.readFrames(0, file.value.frames);
          await file.value.close();
          expect(all.ok).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
