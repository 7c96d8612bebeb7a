import type { Seeded } from './seeded.ts';

/** What makes parsers stumble: numbers at the edges of their types, paths out, names of prototypes, texts that never end. */
const TEXTS: readonly string[] = [
  '../../../../../../etc/passwd',
  '/etc/passwd',
  'file:///etc/passwd',
  '..\\..\\canary',
  '__proto__',
  'constructor',
  'NaN',
  'Infinity',
  '-1',
  '1e999',
  '9223372036854775808',
  '4294967296',
  '0x7fffffff',
  '\0',
  '\uFEFF',
  '\u202E',
  '%00',
  '*a',
  '&a [*a,*a]',
  '!!js/function "x"',
  '<<: *b',
  '{'.repeat(2000),
  '['.repeat(20_000),
  '"'.repeat(3),
  'A'.repeat(70_000),
];

/** Lengths and counts as protobuf, zip, PNG, RIFF and numpy write them: as large as they can be, and a little beside what is right. */
const NUMBERS: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
  [0xff, 0xff, 0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0x7f],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0xff],
  [0x80],
];

/** A copy of the bytes with one to four things wrong; every other one keeps its length and loses only a byte or two, to get further. */
export function mutate(bytes: Uint8Array, random: Seeded): Uint8Array {
  if (random.happens(0.5)) return changeInPlace(bytes, random);
  let mutated = bytes;
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--) mutated = mutateOnce(mutated, random);
  return mutated;
}

function changeInPlace(bytes: Uint8Array, random: Seeded): Uint8Array {
  const changed = bytes.slice();
  for (let bytesToo = 1 + random.below(2); bytesToo > 0; bytesToo--) {
    const at = random.below(changed.length);
    const old = changed[at] as number;
    changed[at] = random.pick([
      old ^ (1 << random.below(8)),
      old + 1,
      old - 1,
      0,
      0x7f,
      0xff,
      random.below(256),
    ]);
  }
  return changed;
}

function mutateOnce(bytes: Uint8Array, random: Seeded): Uint8Array {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(random.happens(0.2) ? bytes.length + 1 : 32));
  switch (random.below(9)) {
    case 0: {
      const flipped = bytes.slice();
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << random.below(8));
      return flipped;
    }
    case 1:
      return replaced(bytes, at, Math.min(bytes.length, at + 1), [random.below(256)]);
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return replaced(bytes, at, to, []);
    case 4:
      return replaced(bytes, at, at, bytes.subarray(at, to));
    case 5: {
      const number = random.pick(NUMBERS);
      return replaced(
        bytes,
        at,
        random.happens(0.5) ? at : Math.min(bytes.length, at + number.length),
        number,
      );
    }
    case 6:
      return replaced(bytes, at, random.happens(0.5) ? at : to, Buffer.from(random.pick(TEXTS), 'utf8'));
    case 7:
      return replaced(bytes, at, to, new Uint8Array(to - at));
    default: {
      const from = random.below(bytes.length + 1);
      return replaced(bytes, at, to, bytes.subarray(from, from + random.below(256)));
    }
  }
}

function replaced(bytes: Uint8Array, from: number, to: number, by: ArrayLike<number>): Uint8Array {
  const made = new Uint8Array(from + by.length + bytes.length - to);
  made.set(bytes.subarray(0, from));
  made.set(by, from);
  made.set(bytes.subarray(to), from + by.length);
  return made;
}
