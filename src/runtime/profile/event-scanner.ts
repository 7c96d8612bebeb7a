import {
  ARGS,
  CAT,
  DUR,
  FIELDS,
  FieldTable,
  GROWTH,
  HELD,
  hashByte,
  IN_USE,
  NAME,
  PEAK,
  TID,
  TS,
  UNKNOWN,
} from './event-fields.ts';

/** The bytes end before the event does. */
export const NEED_MORE = -1;
/** The event is no JSON, not even with quotes in its name. */
export const MALFORMED = -2;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
const SPACE = 0x20;

/** By the first letter of a category. */
const CATEGORIES: Readonly<Record<number, EventScanner['category']>> = {
  83: 'session',
  78: 'node',
  65: 'api',
  75: 'kernel',
};

/**
 * Reads one event of a profile out of bytes and keeps only what `FIELDS` names: numbers as numbers, texts as places in the
 * bytes. No object is made for an event, as there are up to a million of about 700 bytes each. ONNX Runtime writes names as
 * they are, so a name may hold quotes; it ends where a quote is followed by what can follow a member.
 * Source of the format: onnxruntime/core/common/profiler.cc.
 */
export class EventScanner {
  category: 'session' | 'node' | 'api' | 'kernel' | undefined;
  startUs = Number.NaN;
  durationUs = Number.NaN;
  thread = -1;
  inUse = Number.NaN;
  growth = Number.NaN;
  peak = Number.NaN;
  held = Number.NaN;
  /** Whether texts are escaped by the rules of JSON: ONNX Runtime, which does not, writes a blank before the colon of a name. */
  isEscaped = false;
  /** Where the value of each field lies, without quotes; `to` is -1 where the event has no such field. */
  readonly from = new Int32Array(FIELDS.length + 1);
  readonly to = new Int32Array(FIELDS.length + 1);

  readonly #fields = new FieldTable();

  /**
   * @param at  where the event's bracket opens
   * @returns   the place behind the event, `NEED_MORE` or `MALFORMED`
   */
  scan(bytes: Uint8Array, at: number, end: number): number {
    this.category = undefined;
    this.startUs = this.durationUs = Number.NaN;
    this.thread = -1;
    this.inUse = this.growth = this.peak = this.held = Number.NaN;
    this.to.fill(-1);
    return this.#scanObject(bytes, at, end, false);
  }

  #scanObject(bytes: Uint8Array, at: number, end: number, isArgs: boolean): number {
    let i = at + 1;
    for (;;) {
      while (i < end && ((bytes[i] as number) <= SPACE || bytes[i] === COMMA)) i++;
      if (i >= end) return NEED_MORE;
      if (bytes[i] === CLOSE_OBJECT) return i + 1;
      i = this.#scanMember(bytes, i, end, isArgs);
      if (i < 0) return i;
    }
  }

  #scanMember(bytes: Uint8Array, at: number, end: number, isArgs: boolean): number {
    if (bytes[at] !== QUOTE) return MALFORMED;
    let hash = 0;
    let i = at + 1;
    for (; i < end && bytes[i] !== QUOTE; i++) hash = hashByte(hash, bytes[i] as number);
    const behind = i + 1;
    i = skipBlanks(bytes, behind, end);
    if (i >= end) return NEED_MORE;
    if (bytes[i] !== COLON) return MALFORMED;
    this.isEscaped = i === behind;
    i = skipBlanks(bytes, i + 1, end);
    if (i >= end) return NEED_MORE;
    const field = this.#fields.find(hash);
    if (field === ARGS && !isArgs && bytes[i] === OPEN_OBJECT) return this.#scanObject(bytes, i, end, true);
    // A member of the arguments that is named as one of the event is not that one.
    return this.#scanValue(bytes, i, end, field > ARGS === isArgs ? field : UNKNOWN);
  }

  #scanValue(bytes: Uint8Array, at: number, end: number, field: number): number {
    let from = at;
    let to: number;
    let next: number;
    const first = bytes[at] as number;
    if (first === QUOTE) {
      from++;
      to = field === NAME ? nameEnd(bytes, from, end, this.isEscaped) : textEnd(bytes, from, end);
      next = to + 1;
    } else if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      to = nestedEnd(bytes, from, end);
      next = to;
    } else {
      to = literalEnd(bytes, from, end);
      if (to === from) return MALFORMED;
      next = to;
    }
    if (to < 0) return to;
    if (field !== UNKNOWN) this.#keep(bytes, from, to, field, first === QUOTE);
    return next;
  }

  #keep(bytes: Uint8Array, from: number, to: number, field: number, isText: boolean): void {
    this.from[field] = from;
    this.to[field] = to;
    switch (field) {
      case CAT:
        this.category = isText ? CATEGORIES[bytes[from] as number] : undefined;
        break;
      case TS:
        this.startUs = isText ? Number.NaN : parseNumber(bytes, from, to);
        break;
      case DUR:
        this.durationUs = isText ? Number.NaN : parseNumber(bytes, from, to);
        break;
      case TID:
        this.thread = parseNumber(bytes, from, to);
        break;
      case IN_USE:
        this.inUse = parseNumber(bytes, from, to);
        break;
      case GROWTH:
        this.growth = parseNumber(bytes, from, to);
        break;
      case PEAK:
        this.peak = parseNumber(bytes, from, to);
        break;
      case HELD:
        this.held = parseNumber(bytes, from, to);
        break;
    }
  }
}

/** The quote that ends a text. */
function textEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH) i++;
  }
  return NEED_MORE;
}

function nameEnd(bytes: Uint8Array, from: number, end: number, isEscaped: boolean): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === BACKSLASH && isEscaped) i++;
    if (byte !== QUOTE) continue;
    const follows = memberFollows(bytes, i + 1, end);
    if (follows === NEED_MORE) return NEED_MORE;
    if (follows === 1) return i;
  }
  return NEED_MORE;
}

/** The place behind an object or array. */
function nestedEnd(bytes: Uint8Array, from: number, end: number): number {
  let depth = 0;
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) {
      i = textEnd(bytes, i + 1, end);
      if (i < 0) return NEED_MORE;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth++;
    } else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) {
      return i + 1;
    }
  }
  return NEED_MORE;
}

/** Most numbers are whole; those that are not are left to JavaScript. */
function parseNumber(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  const isNegative = bytes[i] === MINUS;
  if (isNegative) i++;
  let value = i < to ? 0 : Number.NaN;
  for (; i < to; i++) {
    const byte = bytes[i] as number;
    if (byte < ZERO || byte > NINE) return numberOf(bytes, from, to);
    value = value * 10 + (byte - ZERO);
  }
  return isNegative ? -value : value;
}

function literalEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte <= SPACE || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) return i;
    if (byte === QUOTE || byte === OPEN_OBJECT || byte === OPEN_ARRAY) return from;
  }
  return NEED_MORE;
}

function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && (bytes[i] as number) <= SPACE) i++;
  return i;
}

/** 1 where an object ends or a member with its colon follows, 0 where not, or `NEED_MORE`. */
function memberFollows(bytes: Uint8Array, at: number, end: number): number {
  let i = skipBlanks(bytes, at, end);
  if (i >= end) return NEED_MORE;
  if (bytes[i] === CLOSE_OBJECT) return 1;
  if (bytes[i] !== COMMA) return 0;
  i = skipBlanks(bytes, i + 1, end);
  if (i >= end) return NEED_MORE;
  if (bytes[i] !== QUOTE) return 0;
  i++;
  while (i < end && isWord(bytes[i] as number)) i++;
  if (i >= end) return NEED_MORE;
  if (bytes[i] !== QUOTE) return 0;
  i = skipBlanks(bytes, i + 1, end);
  if (i >= end) return NEED_MORE;
  return bytes[i] === COLON ? 1 : 0;
}

function isWord(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
}

function numberOf(bytes: Uint8Array, from: number, to: number): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
  return text.trim() === '' ? Number.NaN : Number(text);
}
