// Numbers of JSON put into bytes: there are millions of them, and going through strings takes three times as long.

/** What a number takes at most. */
export const MAX_NUMBER_BYTES = 32;

const ZERO = 0x30;
const POINT = 0x2e;
const PART = 1e9;

/** Puts a number that JSON has (NaN and infinities are none) and returns the place behind it. */
export function putNumber(bytes: Buffer, at: number, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return putDigits(bytes, at, value);
  return at + bytes.write(String(value), at, 'latin1');
}

/** Puts whole nanoseconds as microseconds: 1234567 → 1234.567. */
export function putMicroseconds(bytes: Buffer, at: number, ns: number): number {
  const whole = Math.floor(ns / 1000);
  const rest = ns - whole * 1000;
  const next = putDigits(bytes, at, whole);
  if (rest === 0) return next;
  bytes[next] = POINT;
  return putPadded(bytes, next + 1, rest, 3);
}

function putDigits(bytes: Buffer, at: number, value: number): number {
  if (value >= PART) {
    const high = Math.floor(value / PART);
    return putPadded(bytes, putDigits(bytes, at, high), value - high * PART, 9);
  }
  let digits = 1;
  for (let limit = 10; limit <= value; limit *= 10) digits += 1;
  return putPadded(bytes, at, value, digits);
}

function putPadded(bytes: Buffer, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (rest / 10) | 0;
    bytes[place] = ZERO + rest - next * 10;
    rest = next;
  }
  return at + digits;
}

/** Puts bytes and returns the place behind them. */
export function putBytes(bytes: Uint8Array, at: number, more: Uint8Array): number {
  if (more.length > 64) bytes.set(more, at);
  // A few bytes are copied sooner than `set` is called.
  else for (let index = 0; index < more.length; index++) bytes[at + index] = more[index] as number;
  return at + more.length;
}
