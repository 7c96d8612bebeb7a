import { attemptAsync } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { readImageHeader } from './image-header.ts';
import { decodePngIndices, type PngIndices } from './png-indices.ts';
import { type ImageProblem, readImageFile, unreadable, unsupported } from './read-image-file.ts';

/**
 * Decodes a mask of class numbers, one for each pixel: a PNG that holds them as palette indices or as gray values of up
 * to 8 bits. The numbers are those that are stored, whatever colours the palette gives them.
 * @param encoded a path, or the bytes of the file
 * @returns `image-unreadable` for a file that is missing, broken or too large; `image-unsupported` for one of another
 * format, or with colours
 */
export function decodeMask(encoded: string | Uint8Array): Promise<Result<PngIndices, ImageProblem>> {
  return attemptAsync(async () => {
    const { bytes, place } = await readImageFile(encoded);
    const { format } = readImageHeader(bytes);
    if (format === undefined) throw unreadable('it is no image file, or its beginning is broken', place);
    if (format !== 'PNG') {
      throw unsupported(
        `a mask cannot be ${format}`,
        'save class numbers as PNG, which keeps every value',
        place,
      );
    }
    return decodePngIndices(bytes, place);
  });
}
