import { crc32 } from 'node:zlib';

/*
 * A timeline file is a signature of 12 bytes (eight letters, then the version) and frames, which are only ever appended:
 *
 *   0  u8   kind                      4  u32  length of the payload          24  u32  CRC-32 of the payload
 *   1  u8   1: starts a segment       8  i64  first tick, nanoseconds        28  u32  CRC-32 of these 28 bytes
 *   2  u16  snapshots                16  i64  last tick                      32  the payload
 *
 * All little-endian. A header that is whole and right, with a payload that is not all there, is where a writer was cut off. Anything else
 * that does not add up is damage: CRC-32 finds every burst of up to 32 bits.
 */

export const FORMAT_VERSION = 2;
const SIGNATURE = 'PTQTIMEL';
export const SIGNATURE_BYTES = 12;
export const HEADER_BYTES = 32;

/** In the order of their numbers. `begin` and `phase`: a phase began, and has ended. `end`: the file was closed in good order. */
const FRAME_KINDS = ['about', 'block', 'digest', 'begin', 'phase', 'dropped', 'end'] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly startsSegment: boolean;
  readonly snapshots: number;
  readonly payloadBytes: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly payloadCrc: number;
}

export function encodeSignature(): Uint8Array {
  const bytes = Buffer.alloc(SIGNATURE_BYTES);
  bytes.write(SIGNATURE, 'latin1');
  bytes.writeUInt32LE(FORMAT_VERSION, SIGNATURE.length);
  return bytes;
}

/** The version of the file that begins so, or undefined where it is no timeline. */
export function decodeSignature(bytes: Uint8Array): number | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < SIGNATURE_BYTES || buffer.toString('latin1', 0, SIGNATURE.length) !== SIGNATURE)
    return undefined;
  return buffer.readUInt32LE(SIGNATURE.length);
}

export function encodeFrame(
  kind: FrameKind,
  payload: Uint8Array,
  { startsSegment = false, snapshots = 0, startNs = 0n, endNs = 0n }: Partial<FrameHeader> = {},
): Uint8Array {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt8(FRAME_KINDS.indexOf(kind), 0);
  frame.writeUInt8(startsSegment ? 1 : 0, 1);
  frame.writeUInt16LE(snapshots, 2);
  frame.writeUInt32LE(payload.length, 4);
  frame.writeBigInt64LE(BigInt.asIntN(64, startNs), 8);
  frame.writeBigInt64LE(BigInt.asIntN(64, endNs), 16);
  frame.writeUInt32LE(crc32(payload), 24);
  frame.writeUInt32LE(crc32(frame.subarray(0, 28)), 28);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Undefined where these are not the bytes of a header. */
export function decodeHeader(bytes: Uint8Array): FrameHeader | undefined {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const kind = FRAME_KINDS[header.readUInt8(0)];
  if (header.readUInt32LE(28) !== crc32(header.subarray(0, 28)) || kind === undefined) return undefined;
  return {
    kind,
    startsSegment: header.readUInt8(1) === 1,
    snapshots: header.readUInt16LE(2),
    payloadBytes: header.readUInt32LE(4),
    startNs: header.readBigInt64LE(8),
    endNs: header.readBigInt64LE(16),
    payloadCrc: header.readUInt32LE(24),
  };
}
