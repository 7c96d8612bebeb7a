/** The parts of a WAVE file that tests vary; a plain mono recording of 16 bits where nothing is said. */
export interface WavParts {
  readonly form?: string;
  /** What the header says about the size of the file, whatever it really is. */
  readonly riffSize?: number;
  readonly format?: Buffer;
  /** Between the format and the samples. */
  readonly before?: readonly Buffer[];
  readonly data?: Buffer;
  /** What the header says about the size of the samples. */
  readonly dataSize?: number;
  readonly after?: readonly Buffer[];
}

export interface FormatParts {
  readonly code?: number;
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly bits?: number;
  readonly frameBytes?: number;
}

export function wav(parts: WavParts = {}): Buffer {
  const { form = 'RIFF', format = plainFormat(), before = [], data = shorts([1, 2, 3]), after = [] } = parts;
  const dataChunk = chunk('data', data, parts.dataSize);
  const body = Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), ...before, dataChunk, ...after]);
  const head = Buffer.alloc(8);
  head.write(form, 'latin1');
  head.writeUInt32LE(parts.riffSize ?? body.length, 4);
  return Buffer.concat([head, body]);
}

/** A chunk with its padding; it may lie about its size. */
export function chunk(id: string, body: Buffer, size = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

export function plainFormat(parts: FormatParts = {}): Buffer {
  const { code = 1, channels = 1, sampleRateHz = 16_000, bits = 16 } = parts;
  const frameBytes = parts.frameBytes ?? channels * Math.ceil(bits / 8);
  const body = Buffer.alloc(16);
  body.writeUInt16LE(code, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(sampleRateHz, 4);
  body.writeUInt32LE((sampleRateHz * frameBytes) % 2 ** 32, 8);
  body.writeUInt16LE(frameBytes, 12);
  body.writeUInt16LE(bits, 14);
  return body;
}

/** WAVE_FORMAT_EXTENSIBLE with the sub-format `code`, or with a GUID of nobody. */
export function extensibleFormat(parts: FormatParts & { readonly guidTail?: string } = {}): Buffer {
  const tail = Buffer.alloc(24);
  tail.writeUInt16LE(22, 0);
  tail.writeUInt16LE(parts.bits ?? 16, 2);
  tail.writeUInt16LE(parts.code ?? 1, 8);
  tail.write(parts.guidTail ?? '000000001000800000aa00389b71', 10, 'hex');
  return Buffer.concat([plainFormat({ ...parts, code: 0xfffe }), tail]);
}

/** The chunk of 64-bit sizes that RF64 begins with. */
export function longSizes(riff: number, data: number): Buffer {
  const body = Buffer.alloc(28);
  body.writeBigUInt64LE(BigInt(riff), 0);
  body.writeBigUInt64LE(BigInt(data), 8);
  return chunk('ds64', body);
}

export function shorts(values: readonly number[]): Buffer {
  const body = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) body.writeInt16LE(value, 2 * i);
  return body;
}
