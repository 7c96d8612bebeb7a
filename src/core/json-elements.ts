/** One element of an array that is a member of the outermost object. */
export interface JsonElement {
  readonly member: string;
  /** Its position in the array. */
  readonly index: number;
  /** Its text, only good during the call, and not parsed: it may still be no JSON. */
  readonly bytes: Buffer;
  /** Where it starts: the line from 1, and the byte from 0. */
  readonly line: number;
  readonly start: number;
}

/** A member of the outermost object. */
export interface JsonMember {
  readonly name: string;
  /** Elements; undefined where the value is no array. */
  readonly count: number | undefined;
}

/** Where a text stops being an object in JSON; line and column from 1, columns in bytes. */
export class JsonFault extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.name = 'JsonFault';
    this.line = line;
    this.column = column;
  }
}

/** What may come next. */
type State =
  | 'root'
  | 'key-or-end'
  | 'key'
  | 'in-key'
  | 'colon'
  | 'member'
  | 'element-or-end'
  | 'element'
  | 'value'
  | 'comma-or-end'
  | 'end';

const EXPECTED: Readonly<Record<State, string>> = {
  root: 'an object was expected',
  'key-or-end': "a key in quotes or '}' was expected",
  key: 'a key in quotes was expected',
  'in-key': 'a key was expected',
  colon: "':' was expected",
  member: 'a value was expected',
  'element-or-end': "a value or ']' was expected",
  element: 'a value was expected',
  value: 'the brackets do not match',
  'comma-or-end': "',' or '}' was expected",
  end: 'nothing more was expected',
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const NEWLINE = 0x0a;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
const MARK = [0xef, 0xbb, 0xbf];

// JSON.parse follows any depth, but nothing that is meant to be read nests like this.
const MAX_DEPTH = 256;
// An element becomes a text, which JavaScript limits to 512 MiB.
const MAX_ELEMENT_BYTES = 2 ** 28;

/**
 * Cuts a JSON file that is one object into the elements of its arrays, block by block, so that a file larger than memory
 * can be read: what is held is the longest element. Calls `visit` for every element of the arrays that `isWanted` names.
 * The grammar of RFC 8259 is checked around the elements and the brackets within; whoever parses an element checks the
 * rest. Values that nobody wants are only skipped. `push` and `finish` throw a `JsonFault`.
 */
export class JsonElementScanner {
  readonly #isWanted: (member: string) => boolean;
  readonly #visit: (element: JsonElement) => void;
  readonly #members = new Map<string, JsonMember>();
  /** The closing brackets that are awaited within the value. */
  readonly #closers: number[] = [];
  #state: State = 'root';
  #quoted = false;
  #escaped = false;
  /** Blocks before this one that the key or element under way began in. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #block: Buffer = Buffer.alloc(0);
  /** Where the key or element under way begins in the block; undefined where none is kept. */
  #from: number | undefined;
  /** Of the block in the file. */
  #position = 0;
  #line = 1;
  #lineStart = 0;
  #member = '';
  #count = 0;
  #inArray = false;
  #elementLine = 1;
  #elementStart = 0;

  constructor(isWanted: (member: string) => boolean, visit: (element: JsonElement) => void) {
    this.#isWanted = isWanted;
    this.#visit = visit;
  }

  /** Takes the next bytes of the file. */
  push(block: Buffer): void {
    this.#block = block;
    for (let at = this.#skipMark(); at < block.length; at += 1) {
      if (this.#quoted) {
        at = this.#skipQuoted(at);
        continue;
      }
      const byte = block[at] as number;
      if (byte === 0x20 || byte === 0x09 || byte === 0x0d) continue;
      if (byte === NEWLINE) {
        this.#line += 1;
        this.#lineStart = this.#position + at + 1;
      } else {
        this.#state = this.#advance(byte, at);
      }
    }
    this.#keepRest();
    this.#position += block.length;
  }

  /** Says that the file ends here; the members in their order. */
  finish(): readonly JsonMember[] {
    if (this.#state !== 'end') throw this.#fault('the file ends in the middle', 0);
    return [...this.#members.values()];
  }

  #advance(byte: number, at: number): State {
    switch (this.#state) {
      case 'root':
        if (byte === OPEN_OBJECT) return 'key-or-end';
        break;
      case 'key-or-end':
      case 'key':
        if (byte === QUOTE) return this.#beginKey(at);
        if (byte === CLOSE_OBJECT && this.#state === 'key-or-end') return 'end';
        break;
      case 'colon':
        if (byte === COLON) return 'member';
        break;
      case 'member':
        this.#inArray = byte === OPEN_ARRAY;
        this.#count = 0;
        return this.#inArray ? 'element-or-end' : this.#beginValue(byte, at);
      case 'element-or-end':
        return byte === CLOSE_ARRAY ? this.#endMember() : this.#beginValue(byte, at);
      case 'element':
        return this.#beginValue(byte, at);
      case 'value':
        return this.#continueValue(byte, at);
      case 'comma-or-end':
        if (byte === COMMA) return 'key';
        if (byte === CLOSE_OBJECT) return 'end';
        break;
      case 'in-key':
      case 'end':
        break;
    }
    throw this.#fault(EXPECTED[this.#state], at);
  }

  #beginKey(at: number): State {
    this.#from = at;
    this.#quoted = true;
    return 'in-key';
  }

  #endKey(at: number): void {
    const text = this.#take(at + 1).toString('utf8');
    try {
      this.#member = JSON.parse(text) as string;
    } catch {
      throw this.#fault(EXPECTED.key, at);
    }
    if (this.#members.has(this.#member)) throw this.#fault(`'${this.#member}' stands twice`, at);
    this.#state = 'colon';
  }

  #beginValue(byte: number, at: number): State {
    if (byte === COMMA || byte === COLON || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      throw this.#fault(EXPECTED[this.#state], at);
    }
    if (this.#inArray && this.#isWanted(this.#member)) this.#from = at;
    this.#elementLine = this.#line;
    this.#elementStart = this.#position + at;
    return this.#continueValue(byte, at);
  }

  #continueValue(byte: number, at: number): State {
    if (byte === QUOTE) this.#quoted = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#open(byte, at);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) return this.#close(byte, at);
    else if (byte === COMMA && this.#closers.length === 0) {
      this.#endValue(at);
      if (this.#inArray) return 'element';
      this.#endMember();
      return 'key';
    }
    return 'value';
  }

  #open(byte: number, at: number): void {
    if (this.#closers.length === MAX_DEPTH) throw this.#fault(`it is nested deeper than ${MAX_DEPTH}`, at);
    this.#closers.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
  }

  #close(byte: number, at: number): State {
    const isWithin = this.#closers.length > 0;
    const awaited = this.#closers.pop() ?? (this.#inArray ? CLOSE_ARRAY : CLOSE_OBJECT);
    if (byte !== awaited) throw this.#fault(EXPECTED.value, at);
    if (isWithin) return 'value';
    this.#endValue(at);
    this.#endMember();
    return this.#inArray ? 'comma-or-end' : 'end';
  }

  #endValue(at: number): void {
    if (this.#from !== undefined) {
      this.#visit({
        member: this.#member,
        index: this.#count,
        bytes: this.#take(at),
        line: this.#elementLine,
        start: this.#elementStart,
      });
    }
    this.#count += 1;
  }

  #endMember(): State {
    const count = this.#inArray ? this.#count : undefined;
    this.#members.set(this.#member, { name: this.#member, count });
    return 'comma-or-end';
  }

  /** The position of the quote that ends the text, or the end of the block. */
  #skipQuoted(from: number): number {
    const block = this.#block;
    let escaped = this.#escaped;
    let at = from;
    for (; at < block.length; at += 1) {
      const byte = block[at];
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) {
        this.#quoted = false;
        break;
      }
    }
    this.#escaped = escaped;
    if (!this.#quoted && this.#state === 'in-key') this.#endKey(at);
    return at;
  }

  /** What is kept, up to a place in the block. */
  #take(end: number): Buffer {
    const last = this.#block.subarray(this.#from, end);
    const whole = this.#pendingBytes === 0 ? last : Buffer.concat([...this.#pending, last]);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#from = undefined;
    return whole;
  }

  /** The caller may use the memory of the block again, so what is left of it is copied. */
  #keepRest(): void {
    if (this.#from === undefined) return;
    const rest = Buffer.from(this.#block.subarray(this.#from));
    this.#pending.push(rest);
    this.#pendingBytes += rest.length;
    this.#from = 0;
    if (this.#pendingBytes <= MAX_ELEMENT_BYTES) return;
    throw this.#fault('a value is longer than 256 MiB', this.#block.length);
  }

  /** Behind a byte order mark. One that is cut by the end of a block is not known, and no reader cuts so early. */
  #skipMark(): number {
    const isMarked = this.#position === 0 && MARK.every((byte, at) => this.#block[at] === byte);
    return isMarked ? MARK.length : 0;
  }

  #fault(message: string, at: number): JsonFault {
    return new JsonFault(message, this.#line, this.#position + at - this.#lineStart + 1);
  }
}
