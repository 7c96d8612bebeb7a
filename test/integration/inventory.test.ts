import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { readInventory } from '../../src/jobs/read-inventory.ts';

const entry = new URL('../../dist/jobs/worker-main.js', import.meta.url);

describe('the inventory of this host', () => {
  it("has a processor, memory and an operating system, and nobody's name", async () => {
    const inventory = await readInventory(entry);
    expect(inventory.cpu?.logicalCpus).toBeGreaterThan(0);
    expect(inventory.memory?.totalBytes).toBe(os.totalmem());
    expect(inventory.os?.kernel).toBe(os.release());
    expect(inventory.gpus).toBeDefined();
    // A name as short as `vm` may be a part of other words.
    expect(JSON.stringify(inventory)).not.toContain(`"${os.hostname()}"`);
  });
});
