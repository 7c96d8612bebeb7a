import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { encodePerfetto } from './perfetto/encode-perfetto.ts';
import type { Trace } from './trace.ts';
import { encodeXSpace } from './xspace/encode-xspace.ts';

/** Higher levels take far longer than all the rest: at 6 a million events take four times as long for a quarter less. */
const GZIP_LEVEL = 1;

/**
 * Writes a trace for TensorFlow's profiler into a new file and returns its size in bytes. It is on the disk then. Throws what
 * the file system says.
 */
export async function writeXSpaceFile(trace: Trace, file: string): Promise<number> {
  return await writeNewFile(file, async (handle) => {
    for (const chunk of encodeXSpace(trace)) await writeWhole(handle, chunk);
  });
}

/** `writeXSpaceFile` for Perfetto: trace-event JSON, compressed with gzip. */
export async function writePerfettoFile(trace: Trace, file: string): Promise<number> {
  return await writeNewFile(file, async (handle) => {
    await pipeline(
      Readable.from(encodePerfetto(trace), { highWaterMark: 2 }),
      createGzip({ level: GZIP_LEVEL }),
      async (compressed: AsyncIterable<Uint8Array>) => {
        for await (const chunk of compressed) await writeWhole(handle, chunk);
      },
    );
  });
}

/** A file that another process has made in the meantime stays as it is. */
async function writeNewFile(file: string, write: (handle: FileHandle) => Promise<void>): Promise<number> {
  const handle = await open(file, 'wx');
  try {
    await write(handle);
    await handle.sync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

/** One call may write less than it was given. */
async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await handle.write(bytes, done)).bytesWritten;
  }
}
