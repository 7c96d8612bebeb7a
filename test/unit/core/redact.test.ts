import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onOneLine, redactSecrets } from '../../../src/core/redact.ts';

const TOKEN_CHARACTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/-'];
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 20, maxLength: 60 });
const prose = fc.string({ unit: 'grapheme', maxLength: 30 });

/** Half of it controls and plain letters, half of any script. */
const anything = fc.string({
  unit: fc.oneof(fc.nat(0xa0), fc.nat(0x2fff)).map((code) => String.fromCharCode(code)),
});

describe('redactSecrets', () => {
  it.each([
    ['authorization: Bearer abcdefghijkl', 'authorization: [redacted]'],
    ['{"authorization":"Basic YWxpY2U6c2VjcmV0"}', '{"authorization":"[redacted]"}'],
    ['Authorization=Token abc', 'Authorization=[redacted]'],
    ['it sent Bearer abcdefghijkl==, twice', 'it sent Bearer [redacted], twice'],
    ['fetch https://alice:s3cret@host:8080/x failed', 'fetch https://[redacted]@host:8080/x failed'],
    ['postgres://token@host', 'postgres://[redacted]@host'],
  ])('hides the credential in %j', (text, shown) => {
    expect(redactSecrets(text)).toBe(shown);
  });

  it.each([
    'the bearer of bad news',
    'https://host:8080/path?x=a@b',
    'requests that change something need the token',
    'a basic benchmark of mobilenet',
    '{"file":"/srv/models/a@2.onnx","address":"http://127.0.0.1:9477"}',
  ])('leaves %j as it is', (text) => {
    expect(redactSecrets(text)).toBe(text);
  });

  it('hides a known secret wherever it stands', () => {
    fc.assert(
      fc.property(token, prose, prose, (secret, before, after) => {
        expect(redactSecrets(`${before}${secret}${after}${secret}`, [secret])).not.toContain(secret);
      }),
    );
  });

  it('hides what stands in an Authorization header, of whatever scheme', () => {
    fc.assert(
      fc.property(fc.constantFrom('Bearer', 'Basic', 'Digest', 'token'), token, (scheme, secret) => {
        for (const text of [
          `Authorization: ${scheme} ${secret}`,
          JSON.stringify({ authorization: `${scheme} ${secret}` }),
        ])
          expect(redactSecrets(text)).not.toContain(secret);
      }),
    );
  });
});

describe('onOneLine', () => {
  it('leaves nothing that begins a line or steers a terminal', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(onOneLine(text)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
    expect(onOneLine('no model\n{"level":50}\u001b[2J')).toBe('no model {"level":50} [2J');
  });
});
