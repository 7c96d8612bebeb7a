import { describe, expect, it } from 'vitest';
import { wantsPage } from '../../../src/server/page-route.ts';
import { ask, serve } from '../../support/server.ts';

describe('GET /', () => {
  it.each([
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['application/xhtml+xml, text/html', true],
    ['*/*', false],
    ['application/json', false],
    ['text/plain', false],
    [undefined, false],
  ])('gives a page for Accept %j: %s', async (accept, isPage) => {
    expect(wantsPage(accept)).toBe(isPage);
    const answer = await ask(serve().app, { url: '/', headers: accept === undefined ? {} : { accept } });
    expect(answer.headers['content-type']).toContain(isPage ? 'text/html' : 'application/json');
    expect(answer.headers['vary']).toBe('Accept');
  });

  it('lets the page load what the daemon serves, and nothing else', async () => {
    const { headers, body } = await ask(serve().app, { url: '/', headers: { accept: 'text/html' } });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(body).not.toMatch(/<script(?![^>]*src="\/assets\/)|style=|https?:/);
    for (const path of body.match(/(?:src|href)="\/assets\/[^"]+"/g) ?? [])
      expect(path).toMatch(/main\.(?:js|css)"$/);
  });
});
