import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardRequest } from '../../../src/server/guard.ts';

const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const withPort = (host: string, number: number | undefined) =>
  number === undefined ? host : `${host}:${number}`;

const ownName = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom('localhost', 'LOCALHOST', 'LocalHost'),
);

describe('guardRequest', () => {
  it('lets through every address and localhost, with and without a port', () => {
    fc.assert(
      fc.property(ownName, port, (name, number) => {
        expect(guardRequest(withPort(name, number), undefined)).toBeUndefined();
      }),
    );
  });

  it('refuses every name that a page on the web could be served from', () => {
    fc.assert(
      fc.property(fc.domain(), port, (name, number) => {
        expect(guardRequest(withPort(name, number), undefined)?.kind).toBe('foreign-host');
      }),
    );
  });

  it('is not fooled by a name that holds an address or localhost', () => {
    const decoration = fc.stringMatching(/^[a-z0-9.@_-]{1,8}$/).filter((text) => !/^[0-9.]*$/.test(text));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.constant('localhost')), decoration, (name, text) => {
        expect(guardRequest(`${name}${text}`, undefined)?.kind).toBe('foreign-host');
        expect(guardRequest(`${text}${name}`, undefined)?.kind).toBe('foreign-host');
      }),
    );
  });

  it.each([
    undefined,
    '',
    ':9477',
    'localhost:',
    'localhost:80:80',
    'localhost:port',
    'localhost/',
    'localhost.',
    'user@localhost:9477',
    'user:secret@127.0.0.1',
    '127.0.0.1#evil.example',
    '127.0.0.1.evil.example',
    '[evil.example]',
    '[::1',
    '[::1]evil.example',
    '[::1]:9477:9477',
    '::1',
    'localhost, evil.example',
    'localhost\tevil.example',
  ])('refuses the Host %j', (host) => {
    expect(guardRequest(host, undefined)).toMatchObject({
      kind: 'foreign-host',
      hint: expect.stringContaining('localhost'),
    });
  });

  it('lets through pages of the daemon itself', () => {
    fc.assert(
      fc.property(ownName, port, (name, number) => {
        const host = withPort(name, number);
        expect(guardRequest(host, `http://${host.toLowerCase()}`)).toBeUndefined();
      }),
    );
  });

  it('refuses the pages of every other origin', () => {
    const host = 'localhost:9477';
    fc.assert(
      fc.property(fc.webUrl({ withFragments: false }), (origin) => {
        expect(guardRequest(host, origin)?.kind).toBe('foreign-origin');
      }),
    );
    for (const origin of [
      'null',
      '',
      'https://localhost:9477',
      'http://localhost',
      'http://localhost:94770',
    ]) {
      expect(guardRequest(host, origin)?.kind).toBe('foreign-origin');
    }
  });
});
