import type { FileHandle } from 'node:fs/promises';
import { attemptAsync, ProblemError, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { openRegularFile } from '../regular-file.ts';
import { decodeToMono } from './decode-samples.ts';
import {
  type ReadBytes,
  readWavHeader,
  WAV_SAMPLE_BYTES,
  type WavHeader,
  type WavProblem,
} from './wav-header.ts';

/** An open WAVE file. Its samples stay on disk; memory is what `readFrames` returns plus one block. */
export interface WavFile extends WavHeader {
  readonly path: string;
  /**
   * Frames `start` to `start + count - 1`, mixed to mono, −1 up to 1 where the file holds integers. The range must lie
   * in the file. Calls may overlap.
   */
  readFrames(start: number, count: number): Promise<Result<Float32Array, WavProblem>>;
  close(): Promise<void>;
}

/** Enough for the header of most files, so that one read is all that opening costs. */
const HEADER_BYTES = 4096;
const BLOCK_BYTES = 1 << 20;

/**
 * Opens a RIFF, RF64 or BW64 file of PCM (8 to 32 bits), floating-point, A-law or mu-law samples and reads its header.
 * Errors: `wav-unreadable` when the file cannot be opened, `wav-invalid` when it is damaged or no WAVE file,
 * `wav-unsupported` for other codecs and other kinds of recordings, which the message names.
 */
export async function openWav(path: string): Promise<Result<WavFile, WavProblem>> {
  const opened = await openFile(path);
  if (!opened.ok) return opened;
  const { file, sizeBytes } = opened.value;
  const header = await attemptAsync<WavHeader, WavProblem['kind']>(() =>
    readWavHeader(headerReader(file), sizeBytes, path),
  );
  if (header.ok) return ok(createWavFile(file, path, header.value));
  await file.close();
  return header;
}

async function openFile(
  path: string,
): Promise<Result<{ readonly file: FileHandle; readonly sizeBytes: number }, WavProblem>> {
  const unreadable = (message: string, hint: string) =>
    err(problem('wav-unreadable', message, { place: { file: path }, hint }));
  const opened = await openRegularFile(path);
  if ('file' in opened) return ok(opened);
  return opened.refusal === 'not-regular'
    ? unreadable('the recording is not a regular file', 'name a .wav file')
    : unreadable(`the recording cannot be opened: ${opened.reason}`, 'check the path and its permissions');
}

function createWavFile(file: FileHandle, path: string, header: WavHeader): WavFile {
  return {
    ...header,
    path,
    readFrames: (start, count) => {
      if (start < 0 || count < 0 || start + count > header.frames) {
        throw new RangeError(`frames ${start}..${start + count} of ${path}, which has ${header.frames}`);
      }
      return attemptAsync(() => readMono(file, path, header, start, count));
    },
    close: () => file.close(),
  };
}

async function readMono(
  file: FileHandle,
  path: string,
  { channels, encoding, dataOffset }: WavHeader,
  start: number,
  count: number,
): Promise<Float32Array> {
  const frameBytes = channels * WAV_SAMPLE_BYTES[encoding];
  const blockFrames = Math.min(count, Math.max(1, Math.floor(BLOCK_BYTES / frameBytes)));
  const block = Buffer.allocUnsafe(blockFrames * frameBytes);
  const mono = new Float32Array(count);
  for (let done = 0; done < count; done += blockFrames) {
    const frames = Math.min(blockFrames, count - done);
    const bytes = block.subarray(0, frames * frameBytes);
    const position = dataOffset + (start + done) * frameBytes;
    if ((await readBytes(file, bytes, position)) < bytes.length) throw new ProblemError(shrunk(path));
    decodeToMono(bytes, encoding, channels, mono.subarray(done, done + frames));
  }
  return mono;
}

/** Serves the small reads of a header from few larger ones. */
function headerReader(file: FileHandle): ReadBytes {
  let window: Buffer = Buffer.alloc(0);
  let windowStart = 0;
  return async (offset, length) => {
    if (offset < windowStart || offset + length > windowStart + window.length) {
      window = await readUpTo(file, offset, Math.max(length, HEADER_BYTES));
      windowStart = offset;
    }
    return window.subarray(offset - windowStart, offset - windowStart + length);
  };
}

async function readUpTo(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, await readBytes(file, bytes, position));
}

/** Fills `target` as far as the file goes; how many bytes that were. */
async function readBytes(file: FileHandle, target: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await file.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function shrunk(path: string): WavProblem {
  return problem('wav-invalid', 'the file became shorter while it was read', {
    place: { file: path },
    hint: 'let no program write to the data while it is read',
  });
}
