// Loaded into a tortured daemon before its own code (`node --expose-gc --import`): on SIGUSR2 it writes down what the process holds.

import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';

const file = process.env['PTQ_TELL_RESOURCES'];

process.on('SIGUSR2', () => {
  // What only finalizers free goes with the second.
  globalThis.gc();
  setImmediate(() => {
    globalThis.gc();
    const { heapUsed, external, rss } = process.memoryUsage();
    const resources = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    const listeners = process
      .eventNames()
      .reduce((sum, name) => sum + EventEmitter.listenerCount(process, name), 0);
    writeFileSync(
      file,
      JSON.stringify({ heapBytes: heapUsed, externalBytes: external, rssBytes: rss, resources, listeners }),
    );
  });
});
