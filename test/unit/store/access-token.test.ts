import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAccessToken, readAccessToken } from '../../../src/store/access-token.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

describe('openAccessToken', () => {
  it('makes a secret that nobody else may read, and finds it again', () => {
    const file = join(temporaryFolder(), 'deep/token');
    const token = unwrap(openAccessToken(file));
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(openAccessToken(file)).toEqual({ ok: true, value: token });
    expect(readAccessToken(file)).toEqual({ ok: true, value: token });
    expect(unwrap(openAccessToken(join(temporaryFolder(), 'token')))).not.toBe(token);
  });

  it.each([0o640, 0o604, 0o620])('refuses one that others may read or write: mode %o', (mode) => {
    const file = join(temporaryFolder(), 'token');
    const token = unwrap(openAccessToken(file));
    chmodSync(file, mode);
    const refused = openAccessToken(file);
    expect(refused).toMatchObject({
      error: { kind: 'token-exposed', hint: expect.stringContaining('chmod 600') },
    });
    expect(JSON.stringify(refused)).not.toContain(token);
    expect(readFileSync(file, 'utf8')).toContain(token);
  });

  it.each(['', 'short', 'with spaces in between of it', 'a\nb'.repeat(20)])(
    'does not take %j for a token, nor tell it',
    (text) => {
      const file = join(temporaryFolder(), 'token');
      writeFileSync(file, text, { mode: 0o600 });
      expect(openAccessToken(file)).toMatchObject({ error: { kind: 'token-malformed', place: { file } } });
      if (text.length > 0) expect(JSON.stringify(openAccessToken(file))).not.toContain(text);
    },
  );

  it('says that it cannot read what is no file', () => {
    const folder = join(temporaryFolder(), 'token');
    mkdirSync(folder, { mode: 0o700 });
    expect(openAccessToken(folder)).toMatchObject({ error: { kind: 'token-unreadable' } });
    expect(readAccessToken(join(folder, 'none'))).toMatchObject({ error: { kind: 'token-unreadable' } });
    writeFileSync(join(folder, 'file'), '');
    expect(openAccessToken(join(folder, 'file/token'))).toMatchObject({
      error: { kind: 'token-unreadable' },
    });
  });
});
