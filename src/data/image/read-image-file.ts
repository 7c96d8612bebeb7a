import { readFile } from 'node:fs';
import { promisify } from 'node:util';
import { type Problem, ProblemError, type ProblemPlace, problem } from '../../core/problem.ts';

export type ImageProblem = Problem<'image-unreadable' | 'image-unsupported'>;

/** The bytes of a picture's file and what problems name as its place. */
export interface ImageFile {
  readonly bytes: Uint8Array;
  readonly place: ProblemPlace;
}

// For small files this takes half the time of the function that is made for promises, which opens a handle first.
const readWhole = promisify(readFile);

/** @throws ProblemError of an `ImageProblem` */
export async function readImageFile(encoded: string | Uint8Array): Promise<ImageFile> {
  if (typeof encoded !== 'string') return { bytes: refuseEmpty(encoded, {}), place: {} };
  const place = { file: encoded };
  let bytes: Uint8Array;
  try {
    bytes = await readWhole(encoded);
  } catch (error) {
    throw unreadable(`the file cannot be read (${reasonOf(error)})`, place);
  }
  return { bytes: refuseEmpty(bytes, place), place };
}

/** For files that are broken, or that are no picture at all. */
export function unreadable(reason: string, place: ProblemPlace): ProblemError<ImageProblem['kind']> {
  return new ProblemError<ImageProblem['kind']>(
    problem('image-unreadable', `the picture cannot be decoded: ${reason}`, {
      place,
      hint: 'repair or remove the file; `onBadSample: skip` leaves such items out',
    }),
  );
}

/** For files that are whole, but of a kind that is not taken. */
export function unsupported(
  reason: string,
  hint: string,
  place: ProblemPlace,
): ProblemError<ImageProblem['kind']> {
  return new ProblemError<ImageProblem['kind']>(
    problem('image-unsupported', `the picture is of a kind that is not decoded: ${reason}`, { place, hint }),
  );
}

export function reasonOf(error: unknown): string {
  // The native library puts each of its reasons into a line.
  return (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, '; ');
}

function refuseEmpty(bytes: Uint8Array, place: ProblemPlace): Uint8Array {
  if (bytes.length === 0) throw unreadable('the file is empty', place);
  return bytes;
}
