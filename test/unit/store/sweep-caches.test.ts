import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const KEY = 'b'.repeat(64);

describe('openStore', () => {
  it('removes from the caches what killed processes were making, and nothing else', () => {
    const dataDir = temporaryFolder();
    for (const folder of ['outputs', 'golden', 'calibration']) {
      mkdirSync(join(dataDir, folder, `${KEY}.outputs.Xy12Zw`), { recursive: true });
      for (const file of [`${KEY}.outputs`, `${KEY}.json`, `${KEY}.json.77.tmp`, 'somebody-else.tmp'])
        writeFileSync(join(dataDir, folder, file), '');
    }
    unwrap(openStore(dataDir)).close();
    const whole = [`${KEY}.json`, `${KEY}.outputs`];
    const outputs = [...whole, `${KEY}.json.77.tmp`, 'somebody-else.tmp'].sort();
    expect(readdirSync(join(dataDir, 'outputs')).sort()).toEqual(outputs);
    expect(readdirSync(join(dataDir, 'golden')).sort()).toEqual(outputs);
    expect(readdirSync(join(dataDir, 'calibration')).sort()).toEqual(
      [...whole, `${KEY}.outputs.Xy12Zw`, 'somebody-else.tmp'].sort(),
    );
  });
});
