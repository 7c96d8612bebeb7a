import { type Problem, ProblemError, problem } from '../../core/problem.ts';
import { formatBytes } from '../../core/units.ts';

export type WavProblem = Problem<'wav-unreadable' | 'wav-invalid' | 'wav-unsupported'>;

/** How one sample of one channel is stored, always in little-endian order. */
export type WavEncoding = 'u8' | 's16' | 's24' | 's32' | 'float32' | 'float64' | 'a-law' | 'mu-law';

export const WAV_SAMPLE_BYTES: Readonly<Record<WavEncoding, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  float32: 4,
  float64: 8,
  'a-law': 1,
  'mu-law': 1,
};

export interface WavHeader {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Samples of each channel. */
  readonly frames: number;
  readonly encoding: WavEncoding;
  /** Bytes from the start of the file to the first sample. */
  readonly dataOffset: number;
}

/** Bytes of the file from `offset` on, fewer than `length` where the file ends. */
export type ReadBytes = (offset: number, length: number) => Promise<Buffer>;

const CHUNK_HEADER_BYTES = 8;
const FORM_HEADER_BYTES = 12;
const PLAIN_FORMAT_BYTES = 16;
const EXTENSIBLE_FORMAT_BYTES = 40;
/** More chunks than any recorder writes; it bounds the work on a file made of empty ones. */
const MAX_CHUNKS = 4096;

const UNKNOWN_SIZE = 0xffff_ffff;
/** Programs that write to a pipe put sizes from here up, 2 GiB and less a few kilobytes among them, for "not known". */
const LEAST_PLACEHOLDER_SIZE = 0x7fff_0000;

const FORMAT_PCM = 0x0001;
const FORMAT_FLOAT = 0x0003;
const FORMAT_A_LAW = 0x0006;
const FORMAT_MU_LAW = 0x0007;
const FORMAT_EXTENSIBLE = 0xfffe;

/** The last 14 bytes of a GUID whose first two are one of the plain format codes. */
const PLAIN_GUID_TAIL = '000000001000800000aa00389b71';

const CODECS: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  17: 'IMA ADPCM',
  20: 'G.723 ADPCM',
  49: 'GSM 6.10',
  64: 'G.721 ADPCM',
  80: 'MPEG',
  85: 'MP3',
  353: 'Windows Media Audio',
};

/** Other files that go by the name of a recording, by their first four bytes. */
const OTHER_FORMS: Readonly<Record<string, string>> = {
  RIFX: 'a big-endian WAVE file',
  FORM: 'an AIFF file',
  fLaC: 'a FLAC file',
  OggS: 'an Ogg file',
  caff: 'a Core Audio file',
};

const CONVERT_HINT = 'convert it to 16-bit PCM, as with `ffmpeg -i FILE -c:a pcm_s16le NEW.wav`';

/**
 * Reads the chunks of a RIFF, RF64 or BW64 file up to its samples. A size that the recorder left open (0 or 0xFFFFFFFF)
 * means samples up to the end of the file; a last frame that is not whole is none.
 * Rejects with a `ProblemError` of a `WavProblem`. Sources: Microsoft and IBM, "Multimedia Programming Interface and
 * Data Specifications 1.0"; EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64).
 */
export async function readWavHeader(read: ReadBytes, sizeBytes: number, file: string): Promise<WavHeader> {
  const form = await read(0, FORM_HEADER_BYTES);
  checkForm(form, file);
  let sizes: LongSizes = { riff: form.readUInt32LE(4), data: UNKNOWN_SIZE };
  let format: WavFormat | undefined;
  let offset = FORM_HEADER_BYTES;
  for (let chunk = 0; chunk < MAX_CHUNKS && offset + CHUNK_HEADER_BYTES <= sizeBytes; chunk += 1) {
    const head = await read(offset, CHUNK_HEADER_BYTES);
    const id = head.toString('latin1', 0, 4);
    const claimed = head.readUInt32LE(4);
    const start = offset + CHUNK_HEADER_BYTES;
    if (id === 'ds64') sizes = parseLongSizes(await read(start, Math.min(claimed, 16)), file);
    if (id === 'fmt ') {
      format = parseFormat(await read(start, Math.min(claimed, EXTENSIBLE_FORMAT_BYTES)), file);
    }
    if (id === 'data') {
      if (format === undefined) throw invalid('the samples come before their format', file);
      const dataSizeBytes = resolveDataSize(claimed, start, sizes, sizeBytes, file);
      const frames = Math.floor(dataSizeBytes / (format.channels * WAV_SAMPLE_BYTES[format.encoding]));
      return { ...format, frames, dataOffset: start };
    }
    // A chunk of an odd size is followed by one byte that its size does not count.
    offset = start + claimed + (claimed % 2);
  }
  throw invalid('the file has no samples: there is no data chunk', file);
}

function checkForm(form: Buffer, file: string): void {
  const id = form.toString('latin1', 0, 4);
  const other = OTHER_FORMS[id] ?? (id.startsWith('ID3') ? 'an MP3 file' : undefined);
  if (other !== undefined) throw unsupported(`this is ${other}, not a WAVE file`, file);
  const isWave = form.length === FORM_HEADER_BYTES && form.toString('latin1', 8) === 'WAVE';
  if (!isWave || !['RIFF', 'RF64', 'BW64'].includes(id)) {
    throw invalid('this is not a WAVE file: it does not begin with RIFF and WAVE', file);
  }
}

interface LongSizes {
  /** Of everything behind the first 8 bytes. */
  readonly riff: number;
  /** Of the data chunk, for a chunk that says 0xFFFFFFFF. */
  readonly data: number;
}

function parseLongSizes(body: Buffer, file: string): LongSizes {
  if (body.length < 16) throw invalid('the chunk of 64-bit sizes is cut short', file);
  return { riff: Number(body.readBigUInt64LE(0)), data: Number(body.readBigUInt64LE(8)) };
}

type WavFormat = Pick<WavHeader, 'sampleRateHz' | 'channels' | 'encoding'>;

function parseFormat(body: Buffer, file: string): WavFormat {
  if (body.length < PLAIN_FORMAT_BYTES) throw invalid('the format chunk is cut short', file);
  const channels = body.readUInt16LE(2);
  const sampleRateHz = body.readUInt32LE(4);
  const frameBytes = body.readUInt16LE(12);
  const bits = body.readUInt16LE(14);
  if (channels === 0) throw invalid('the format says that there are 0 channels', file);
  if (sampleRateHz === 0) throw invalid('the format says that the sample rate is 0 Hz', file);
  const encoding = findEncoding(formatCode(body, file), bits, file);
  if (frameBytes !== channels * WAV_SAMPLE_BYTES[encoding]) {
    throw invalid(
      `the format contradicts itself: ${channels} channels of ${bits} bits do not make frames of ${frameBytes} bytes`,
      file,
    );
  }
  return { sampleRateHz, channels, encoding };
}

function formatCode(body: Buffer, file: string): number {
  const code = body.readUInt16LE(0);
  if (code !== FORMAT_EXTENSIBLE) return code;
  if (body.length < EXTENSIBLE_FORMAT_BYTES) throw invalid('the extended format chunk is cut short', file);
  const guid = body.toString('hex', 24, 40);
  if (guid.slice(4) !== PLAIN_GUID_TAIL) {
    throw unsupported(`the samples are coded as ${guid}, which is not known`, file);
  }
  return body.readUInt16LE(24);
}

function findEncoding(code: number, bits: number, file: string): WavEncoding {
  // Sizes between whole bytes fill the upper bits of their bytes, so that the next whole size reads them.
  const sizeBytes = Math.ceil(bits / 8);
  switch (code) {
    case FORMAT_PCM: {
      const encoding = (['u8', 's16', 's24', 's32'] as const)[sizeBytes - 1];
      if (encoding !== undefined) return encoding;
      break;
    }
    case FORMAT_FLOAT:
      if (bits === 32) return 'float32';
      if (bits === 64) return 'float64';
      break;
    case FORMAT_A_LAW:
      if (bits === 8) return 'a-law';
      break;
    case FORMAT_MU_LAW:
      if (bits === 8) return 'mu-law';
      break;
    default: {
      const codec = CODECS[code] ?? `codec 0x${code.toString(16).padStart(4, '0')}`;
      throw unsupported(`the samples are coded with ${codec}`, file);
    }
  }
  throw unsupported(`the samples have ${bits} bits`, file);
}

function resolveDataSize(
  claimed: number,
  start: number,
  { riff, data }: LongSizes,
  sizeBytes: number,
  file: string,
): number {
  const available = sizeBytes - start;
  const size = claimed === UNKNOWN_SIZE ? data : claimed;
  // A recorder that never came back to its header also says that the file ends where the samples begin.
  const isUnfinished = size === 0 && (riff + CHUNK_HEADER_BYTES <= start || riff >= LEAST_PLACEHOLDER_SIZE);
  if (isUnfinished || size === UNKNOWN_SIZE) return available;
  if (size <= available) return size;
  if (size === claimed && size >= LEAST_PLACEHOLDER_SIZE) return available;
  const missing = `${formatBytes(size)} of samples are announced, ${formatBytes(available)} are there`;
  throw new ProblemError(
    problem('wav-invalid', `the file is cut short: ${missing}`, {
      place: { file },
      hint: 'copy or record the file again',
    }),
  );
}

function invalid(message: string, file: string): ProblemError {
  const hint = 'check that the file is a recording and was copied whole';
  return new ProblemError(problem('wav-invalid', message, { place: { file }, hint }));
}

function unsupported(message: string, file: string): ProblemError {
  return new ProblemError(problem('wav-unsupported', message, { place: { file }, hint: CONVERT_HINT }));
}
