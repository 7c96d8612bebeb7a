import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { FileWindow } from '../../../../src/telemetry/timeline/file-window.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

it('a window reads forwards and backwards, and less at the end of the file', async () => {
  const file = join(temporaryFolder(), 'bytes');
  writeFileSync(
    file,
    Uint8Array.from({ length: 600_000 }, (_, index) => index % 251),
  );
  const handle = await open(file);
  onTestFinished(() => handle.close());
  const window = new FileWindow(file, handle);
  for (const offset of [500_000, 500_010, 10, 599_998]) {
    const bytes = await window.read(offset, 4);
    const expected = [0, 1, 2, 3].map((step) => offset + step).filter((at) => at < 600_000);
    expect([...bytes]).toEqual(expected.map((at) => at % 251));
  }
});
