// An XSpace back as plain data, field by field of xplane.proto; written for tests, from the description of the wire format.

export interface ReadStat {
  readonly name: string;
  readonly type: 'double' | 'uint' | 'int' | 'text' | 'ref';
  readonly value: number | bigint | string;
}

export interface ReadEvent {
  readonly name: string;
  readonly displayName: string;
  readonly offsetPs: bigint;
  readonly durationPs: bigint;
  readonly stats: readonly ReadStat[];
  readonly metadataStats: readonly ReadStat[];
}

export interface ReadLine {
  readonly id: bigint;
  readonly name: string;
  readonly timestampNs: bigint;
  readonly events: readonly ReadEvent[];
}

export interface ReadPlane {
  readonly id: bigint;
  readonly name: string;
  readonly stats: readonly ReadStat[];
  readonly lines: readonly ReadLine[];
}

export interface ReadXSpace {
  readonly planes: readonly ReadPlane[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly hostnames: readonly string[];
}

type Value = bigint | Buffer;
type Fields = ReadonlyMap<number, readonly Value[]>;

export function readXSpace(bytes: Uint8Array): ReadXSpace {
  const space = fieldsOf(Buffer.from(bytes));
  return {
    planes: messages(space, 1).map(readPlane),
    errors: texts(space, 2),
    warnings: texts(space, 3),
    hostnames: texts(space, 4),
  };
}

function readPlane(plane: Fields): ReadPlane {
  const statNames = new Map(
    messages(plane, 5).map((entry) => {
      const metadata = theMessage(entry, 2);
      if (int(entry, 1) !== int(metadata, 1)) throw new Error('the key of a stat is not its id');
      return [int(metadata, 1), text(metadata, 2)];
    }),
  );
  if (new Set(statNames.values()).size !== statNames.size) throw new Error('two stats have one name');
  const kinds = new Map(messages(plane, 4).map((entry) => [int(entry, 1), theMessage(entry, 2)]));
  const statsOf = (owner: Fields, field: number) =>
    messages(owner, field).map((stat) => readStat(stat, statNames));
  return {
    id: int(plane, 1),
    name: text(plane, 2),
    stats: statsOf(plane, 6),
    lines: messages(plane, 3).map((line) => ({
      id: int(line, 1),
      name: text(line, 2),
      timestampNs: int(line, 3),
      events: messages(line, 4).map((event) => {
        const kind = kinds.get(int(event, 1));
        if (kind === undefined) throw new Error(`no metadata of event ${int(event, 1)}`);
        return {
          name: text(kind, 2),
          displayName: text(kind, 4),
          offsetPs: int(event, 2),
          durationPs: int(event, 3),
          stats: statsOf(event, 4),
          metadataStats: statsOf(kind, 5),
        };
      }),
    })),
  };
}

function readStat(stat: Fields, names: ReadonlyMap<bigint, string>): ReadStat {
  const nameOf = (id: bigint): string => {
    const name = names.get(id);
    if (name === undefined) throw new Error(`no stat ${id}`);
    return name;
  };
  const name = nameOf(int(stat, 1));
  const double = stat.get(2)?.[0];
  if (Buffer.isBuffer(double)) return { name, type: 'double', value: double.readDoubleLE(0) };
  if (stat.has(3)) return { name, type: 'uint', value: BigInt.asUintN(64, int(stat, 3)) };
  if (stat.has(4)) return { name, type: 'int', value: int(stat, 4) };
  if (stat.has(5)) return { name, type: 'text', value: text(stat, 5) };
  if (stat.has(7)) return { name, type: 'ref', value: nameOf(int(stat, 7)) };
  throw new Error(`stat ${name} has no value`);
}

const STRICT = new TextDecoder('utf-8', { fatal: true });

/** Varints as signed 64-bit integers, everything else as bytes. Throws where a field goes beyond its message. */
function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('cut within a varint');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  };
  const take = (size: number): Buffer => {
    if (at + size > bytes.byteLength) throw new Error('a field goes beyond its message');
    at += size;
    return bytes.subarray(at - size, at);
  };
  while (at < bytes.byteLength) {
    const tag = Number(varint());
    const value = (tag & 7) === 0 ? varint() : take((tag & 7) === 1 ? 8 : Number(varint()));
    const field = tag >> 3;
    const values = fields.get(field);
    if (values === undefined) fields.set(field, [value]);
    else values.push(value);
  }
  return fields;
}

function messages(owner: Fields, field: number): Fields[] {
  return (owner.get(field) ?? []).map((value) => fieldsOf(value as Buffer));
}

function theMessage(owner: Fields, field: number): Fields {
  return fieldsOf(owner.get(field)?.[0] as Buffer);
}

function texts(owner: Fields, field: number): string[] {
  return (owner.get(field) ?? []).map((value) => STRICT.decode(value as Buffer));
}

function text(owner: Fields, field: number): string {
  return texts(owner, field)[0] ?? '';
}

function int(owner: Fields, field: number): bigint {
  return (owner.get(field)?.[0] as bigint | undefined) ?? 0n;
}
