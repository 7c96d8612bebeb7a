import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLogger } from '../../../src/cli/loggers.ts';
import { logWith } from '../../../src/core/log.ts';

function logging(level: Parameters<typeof jsonLogger>[0] = 'info') {
  let text = '';
  const logger = jsonLogger(level, {
    write: (line) => {
      text += line;
    },
  });
  return { logger, text: () => text };
}

/** Half of it controls and plain letters, half of any script. */
const anything = fc.string({
  unit: fc.oneof(fc.nat(0xa0), fc.nat(0x2fff)).map((code) => String.fromCharCode(code)),
});

describe('jsonLogger', () => {
  it('writes one object a line, whatever is logged', () => {
    fc.assert(
      fc.property(anything, fc.dictionary(fc.string(), anything), (message, fields) => {
        const { logger, text } = logging();
        logger.error(message, { fields });
        expect(text()).toMatch(/^[^\p{Cc}\u2028\u2029]*\n$/u);
        // Text with the form of a credential is the only one that does not come through.
        const shown = JSON.parse(text()) as { msg: string; fields: object };
        if (!text().includes('[redacted]')) expect([shown.msg, shown.fields]).toEqual([message, fields]);
      }),
    );
  });

  it('shows neither what it was told to hide nor what looks like a credential', () => {
    const { logger, text } = logging();
    logger.hide('a-token-of-more-than-twenty-letters');
    logger.error('refused a-token-of-more-than-twenty-letters', {
      headers: { authorization: 'Basic YWxpY2U6c2VjcmV0' },
      proxy: 'http://alice:s3cret@proxy:3128',
      stack: 'Error: a-token-of-more-than-twenty-letters\n    at x',
    });
    expect(text()).not.toMatch(/a-token-of|YWxpY2U6|s3cret/);
    expect(JSON.parse(text())).toMatchObject({ headers: { authorization: '[redacted]' } });
  });

  it('changes its level while it runs', () => {
    const { logger, text } = logging('warn');
    logger.info('one');
    logger.setLevel('debug');
    logger.debug('two');
    logger.setLevel('error');
    logger.warn('three');
    expect(text()).toMatch(/^[^\n]*"msg":"two"\}\n$/);
  });
});

describe('logWith', () => {
  it('adds what lines are about, and lets a line say otherwise', () => {
    const { logger, text } = logging('debug');
    const bound = logWith(logWith(logger, { run: 'A', model: 'tiny' }), { phase: 'bench' });
    bound.debug('one');
    bound.info('two', { model: 'other' });
    bound.warn('three');
    bound.error('four');
    const lines = text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ msg, run, model, phase }) => [msg, run, model, phase])).toEqual([
      ['one', 'A', 'tiny', 'bench'],
      ['two', 'A', 'other', 'bench'],
      ['three', 'A', 'tiny', 'bench'],
      ['four', 'A', 'tiny', 'bench'],
    ]);
  });
});
