import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countCommonSpans,
  findSpans,
  readTags,
  type SpanRule,
  type TagTable,
} from '../../../../../src/evaluation/tasks/text/tag-spans.ts';

const TAGS = ['O', 'B-X', 'I-X', 'E-X', 'S-X', 'B-Y', 'I-Y', 'E-Y', 'S-Y'];

/** Spans as texts, such as `X 0-1`. */
function spansOf(sentence: string, rule: SpanRule): readonly string[] {
  const tags = rule === 'IOB2' ? TAGS.filter((tag) => !/^[ES]/.test(tag)) : TAGS;
  const table = readTags(tags, ['O'], rule) as TagTable;
  const spans = findSpans(
    sentence.split(' ').map((tag) => tags.indexOf(tag)),
    table,
  );
  return Array.from(
    { length: spans.length / 3 },
    (_, i) => `${table.typeNames[spans[3 * i + 2] as number]} ${spans[3 * i]}-${spans[3 * i + 1]}`,
  );
}

describe('findSpans', () => {
  it.each(['lenient', 'IOB2'] as const)('finds what IOB2 marks, with the rule %s', (rule) => {
    expect(spansOf('B-X I-X O B-Y B-Y I-Y', rule)).toEqual(['X 0-1', 'Y 3-3', 'Y 4-5']);
  });

  it.each(['lenient', 'IOBES'] as const)('finds what IOBES marks, with the rule %s', (rule) => {
    expect(spansOf('S-X O B-Y I-Y E-Y S-Y B-X E-X', rule)).toEqual(['X 0-0', 'Y 2-4', 'Y 5-5', 'X 6-7']);
  });

  it('begins a span at I if it is lenient, and not if it is strict', () => {
    expect(spansOf('I-X I-X O I-Y', 'lenient')).toEqual(['X 0-1', 'Y 3-3']);
    expect(spansOf('I-X I-X O I-Y', 'IOB2')).toEqual([]);
  });

  it('ends a span where the type changes', () => {
    expect(spansOf('B-X I-Y I-Y', 'lenient')).toEqual(['X 0-0', 'Y 1-2']);
    expect(spansOf('B-X I-Y I-Y', 'IOB2')).toEqual(['X 0-0']);
  });

  it('drops a span of IOBES that never ends', () => {
    expect(spansOf('B-X I-X O B-Y', 'IOBES')).toEqual([]);
    expect(spansOf('B-X I-X B-X E-X', 'IOBES')).toEqual(['X 2-3']);
    expect(spansOf('B-X E-X E-X', 'IOBES')).toEqual(['X 0-1']);
  });

  it('takes -1 for a token outside of spans', () => {
    const table = readTags(['O', 'B', 'I'], ['O'], 'lenient') as TagTable;
    expect(findSpans([1, 2, -1, 2], table)).toEqual([0, 1, 0, 3, 3, 0]);
  });

  it('finds the same by every rule where the marks are without a fault', () => {
    const span = fc.constantFrom('S-X', 'S-Y', 'B-X E-X', 'B-Y I-Y I-Y E-Y', 'O');
    fc.assert(
      fc.property(fc.array(span, { minLength: 1 }), (parts) => {
        const sentence = parts.join(' ');
        const iob2 = sentence.replaceAll('S-', 'B-').replaceAll('E-', 'I-');
        expect(spansOf(sentence, 'lenient')).toEqual(spansOf(sentence, 'IOBES'));
        expect(spansOf(iob2, 'IOB2')).toEqual(spansOf(sentence, 'IOBES'));
        expect(spansOf(iob2, 'lenient')).toEqual(spansOf(sentence, 'IOBES'));
      }),
    );
  });
});

describe('readTags', () => {
  it('knows types that hold dashes, and tags without a type', () => {
    expect(readTags(['O', 'B-A-B', 'I-A-B', 'B'], ['O'], 'IOB2')).toMatchObject({ typeNames: ['A-B', ''] });
  });

  it('takes tags that are listed as such for outside', () => {
    expect(readTags(['O', '[PAD]', 'B'], ['O', '[PAD]'], 'lenient')).toMatchObject({
      parts: ['O', 'O', 'B'],
    });
  });

  it.each([
    ['a word', 'NOUN', 'lenient'],
    ['a mark of another scheme', 'E-X', 'IOB2'],
    ['a mark of BILOU', 'U-X', 'IOBES'],
    ['another sign than a dash', 'B_X', 'lenient'],
    ['a dash at the end', 'B-X-', 'lenient'],
    ['no tag at all', '', 'lenient'],
  ] as const)('names %s', (_what, tag, rule) => {
    expect(readTags(['O', 'B-X', tag], ['O'], rule)).toEqual({ unknownTag: tag });
  });
});

describe('countCommonSpans', () => {
  it('counts those with the same ends and type', () => {
    const spans = [0, 1, 0, 3, 3, 1, 5, 8, 0];
    expect(countCommonSpans(spans, spans)).toBe(3);
    expect(countCommonSpans(spans, [0, 1, 1, 3, 4, 1, 5, 8, 0])).toBe(1);
    expect(countCommonSpans(spans, [2, 2, 0, 3, 3, 1])).toBe(1);
    expect(countCommonSpans(spans, [])).toBe(0);
  });
});
