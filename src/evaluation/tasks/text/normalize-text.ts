/** Each does what those before it do, and more. */
export const TEXT_NORMALIZATIONS = ['none', 'whitespace', 'lowercase', 'plain'] as const;

/**
 * What of two texts is not compared. `whitespace`: runs of white space are one space, and none at the ends; `lowercase`:
 * capitals, too; `plain`: punctuation (Unicode category P), too, which is removed, so that "it's" becomes "its".
 */
export type TextNormalization = (typeof TEXT_NORMALIZATIONS)[number];

export function normalizeText(text: string, how: TextNormalization): string {
  switch (how) {
    case 'none':
      return text;
    case 'whitespace':
      return text.replace(/\p{White_Space}+/gu, ' ').replace(/^ | $/g, '');
    case 'lowercase':
      return normalizeText(text.toLowerCase(), 'whitespace');
    case 'plain':
      return normalizeText(text.replace(/\p{P}/gu, ''), 'lowercase');
  }
}

/** What stands between white space; empty for a text without words. */
export function wordsOf(text: string): readonly string[] {
  return text.match(/\P{White_Space}+/gu) ?? [];
}

/** Unicode code points as Python counts characters, without white space at the ends. */
export function charactersOf(text: string): Int32Array {
  const trimmed = text.replace(/^\p{White_Space}+/u, '').replace(/\p{White_Space}+$/u, '');
  const characters = new Int32Array(trimmed.length);
  let count = 0;
  for (let i = 0; i < trimmed.length; i += 1) {
    const character = trimmed.codePointAt(i) as number;
    characters[count] = character;
    count += 1;
    if (character > 0xffff) i += 1;
  }
  return characters.subarray(0, count);
}

/** Two lists of words as numbers that are equal where the words are. */
export function numberWords(
  reference: readonly string[],
  hypothesis: readonly string[],
): readonly [Int32Array, Int32Array] {
  const numbers = new Map<string, number>();
  const numberOf = (word: string): number => {
    const known = numbers.get(word) ?? numbers.size;
    numbers.set(word, known);
    return known;
  };
  return [Int32Array.from(reference, numberOf), Int32Array.from(hypothesis, numberOf)];
}
