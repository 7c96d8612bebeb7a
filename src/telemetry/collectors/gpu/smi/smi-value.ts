import { type GpuMemory, type GpuReading, known } from '../gpu-reading.ts';

const MEBIBYTE = 2 ** 20;
const NUMBER = /^(-?\d+(?:\.\d+)?)(?: ?\S*)$/;

/**
 * A value as nvidia-smi prints it, with or without its unit: `71.15 W`, `345`. Undefined for all the words by which it says
 * that it has none: `[N/A]`, `[Not Supported]`, `Requested functionality has been deprecated`, `GPU is lost` and others.
 */
export function smiNumber(text: string | undefined): number | undefined {
  const digits = NUMBER.exec(text?.trim() ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function smiMask(text: string | undefined): number | undefined {
  return text !== undefined && /^0x[0-9a-f]+$/i.test(text.trim()) ? Number(text.trim()) : undefined;
}

const SAYS_NOTHING = /^(\[.*\]|N\/A|Not Supported|GPU is lost|Requested functionality .*|)$/i;

/** A word that says something, such as a version. */
export function smiWord(text: string | undefined): string | undefined {
  const word = text?.trim() ?? '';
  return SAYS_NOTHING.test(word) ? undefined : word;
}

export function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** @param amounts  in MiB, as printed */
export function smiMemory(amounts: {
  readonly total: string | undefined;
  readonly reserved?: string | undefined;
  readonly used: string | undefined;
  readonly free: string | undefined;
}): GpuMemory | undefined {
  const bytes = (text: string | undefined) => scaled(smiNumber(text), MEBIBYTE);
  const totalBytes = bytes(amounts.total);
  const usedBytes = bytes(amounts.used);
  const freeBytes = bytes(amounts.free);
  if (totalBytes === undefined || usedBytes === undefined || freeBytes === undefined) return undefined;
  return { totalBytes, usedBytes, freeBytes, ...known({ reservedBytes: bytes(amounts.reserved) }) };
}

/** @param recoveryAction  what the driver recommends, where it tells: `None`, `Reset`, `Reboot`, `Drain and Reset` … */
export function smiState(texts: Iterable<string>, recoveryAction: string | undefined): GpuReading['state'] {
  for (const text of texts) {
    if (text.includes('GPU is lost')) return 'lost';
    if (/requires reset/i.test(text)) return 'reset-required';
  }
  return /reset|reboot/i.test(recoveryAction ?? '') ? 'reset-required' : 'ok';
}

/** A share, of a value in percent. Divided, as 7 times 0.01 is not 0.07. */
export function smiRatio(text: string | undefined): number | undefined {
  const value = smiNumber(text);
  return value === undefined ? undefined : value / 100;
}
