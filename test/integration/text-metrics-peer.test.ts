import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Figures } from '../../src/evaluation/task.ts';
import { TEXT_NORMALIZATIONS } from '../../src/evaluation/tasks/text/normalize-text.ts';
import type { SpanRule } from '../../src/evaluation/tasks/text/tag-spans.ts';
import { findPeerPython } from '../perf/peer-subjects.ts';
import {
  editCounts,
  type TagsCase,
  type TextFigures,
  type TextsCase,
  tagFigures,
  textFigures,
} from '../unit/evaluation/tasks/text/text-metrics-vectors.ts';

// Holds the metrics of tags and texts against seqeval, scikit-learn and jiwer, on random and degenerate input.

const CASES = 300;
const TOLERANCE = 1e-9;
const { python, reason } = findPeerPython();
const script = fileURLToPath(new URL('../fixtures/text-metrics/peer.py', import.meta.url));

const PARTS: Readonly<Record<SpanRule, string>> = { lenient: 'BIES', IOB2: 'BI', IOBES: 'BIES' };

const tagsCase = fc
  .constantFrom<SpanRule[]>('lenient', 'IOB2', 'IOBES')
  .chain((spans) => {
    // One type more often than two, so that spans of several tokens occur.
    const marked = [...PARTS[spans]].flatMap((part) => [`${part}-X`, `${part}-X`, `${part}-Y`, part]);
    const tag = fc.constantFrom('O', 'O', ...marked);
    const pair = fc.oneof(
      fc.tuple(tag, tag),
      tag.map((both) => [both, both] as const),
    );
    const sentences = fc.array(fc.array(pair, { minLength: 1, maxLength: 15 }), {
      minLength: 1,
      maxLength: 6,
    });
    return fc.record({ spans: fc.constant(spans), sentences });
  })
  .map(
    ({ spans, sentences }): TagsCase => ({
      spans,
      truth: sentences.map((sentence) => sentence.map(([truth]) => truth)),
      predicted: sentences.map((sentence) => sentence.map(([, predicted]) => predicted)),
    }),
  );

// Characters that have been in Unicode for long: the peer's Python may know an older version than Node.
const character = fc
  .oneof(
    fc.integer({ min: 0x21, max: 0x52f }),
    fc.integer({ min: 0x4e00, max: 0x9fa5 }),
    fc.integer({ min: 0x1f300, max: 0x1f5ff }),
  )
  .map((code) => String.fromCodePoint(code))
  .filter((text) => /^[\p{L}\p{P}\p{S}\p{N}]$/u.test(text));
const word = fc.oneof(
  fc.constantFrom('a', 'b', 'A', 'a.', "it's", '😀', 'é', 'e\u0301', '東京', 'ß'),
  fc.array(character, { minLength: 1, maxLength: 4 }).map((characters) => characters.join('')),
);
const text = (maxLength: number) =>
  fc
    .array(fc.tuple(word, fc.constantFrom(' ', ' ', '  ')), { maxLength })
    .map((parts) => parts.flat().join(''));
const textsCase = fc
  .record({
    normalize: fc.constantFrom(...TEXT_NORMALIZATIONS),
    pairs: fc.oneof(
      fc.array(fc.tuple(text(6), text(6)), { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(text(120), text(120)), { minLength: 1, maxLength: 1 }),
    ),
  })
  .map(
    ({ normalize, pairs }): TextsCase => ({
      normalize,
      references: pairs.map(([reference]) => reference),
      hypotheses: pairs.map(([, hypothesis]) => hypothesis),
    }),
  );

interface PeerFigures {
  readonly tags: readonly Readonly<Record<string, number>>[];
  readonly texts: readonly TextFigures[];
}

function askPeer(
  peer: string,
  cases: { readonly tags: readonly TagsCase[]; readonly texts: readonly TextsCase[] },
): PeerFigures {
  const answer = execFileSync(peer, ['-B', script], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
  });
  return JSON.parse(answer) as PeerFigures;
}

/** Names of figures that differ; where ours is null, there is nothing to divide by and the peer says 0. */
function differences(ours: Figures, peer: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(ours).flatMap(([name, figure]) =>
    Math.abs((figure ?? 0) - (peer[name] as number)) <= TOLERANCE
      ? []
      : [`${name}: ${figure}, not ${peer[name]}`],
  );
}

describe('metrics of tags and texts', () => {
  if (python === undefined) {
    it(`are not compared with a peer: ${reason}`, (context) => {
      context.skip(reason);
    });
    return;
  }

  it('agree with seqeval and scikit-learn', () => {
    const cases = fc.sample(tagsCase, { numRuns: CASES, seed: 1 });
    const { tags } = askPeer(python, { tags: cases, texts: [] });
    expect(tags).toHaveLength(CASES);
    for (const [i, drawn] of cases.entries()) {
      expect({ drawn, differences: differences(tagFigures(drawn), tags[i] ?? {}) }).toEqual({
        drawn,
        differences: [],
      });
    }
  });

  it('agree with jiwer, and so do the kinds of edits', () => {
    const cases = fc.sample(textsCase, { numRuns: CASES, seed: 2 });
    const { texts } = askPeer(python, { tags: [], texts: cases });
    expect(texts).toHaveLength(CASES);
    for (const [i, drawn] of cases.entries()) {
      const { wer, cer, words, characters } = texts[i] as TextFigures;
      expect({ drawn, ...editCounts(drawn) }).toEqual({ drawn, words, characters });
      const ours = textFigures(drawn);
      // For true texts that are all empty jiwer gives the number of insertions.
      if (words.hits + words.substitutions + words.deletions > 0) {
        expect({ drawn, differences: differences(ours, { wer, cer }) }).toEqual({ drawn, differences: [] });
      } else expect(ours['wer']).toBeNull();
    }
  });
});
