import { digestText } from '../core/digest.ts';

/** All that decides the bytes of an artifact. */
export interface ArtifactParts {
  /** SHA-256 of the fp32 model, in hex. */
  readonly modelDigest: string;
  /** Plain data; the order of its keys does not matter. */
  readonly recipe: unknown;
  /** SHA-256 of the calibration data, in hex. */
  readonly dataDigest: string;
  /** Versions of what made it, such as `{ 'ptq-agent': '0.1.0', onnxruntime: '1.30.0' }`. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The name of an artifact: SHA-256, in hex, of the canonical JSON of what made it. */
export function artifactHash(parts: ArtifactParts): string {
  return digestText(canonicalJson(parts));
}

/**
 * JSON with sorted keys and without white space, so that equal data has equal text. Throws on what JSON
 * would silently change (NaN, functions, class instances): two different recipes could share a name.
 */
function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isPlainObject(value)) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(',')}}`;
  }
  throw new TypeError(`canonical JSON has no form for ${typeof value} ${String(value)}`);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
