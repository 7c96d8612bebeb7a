/**
 * A sampler process whose collectors disks and memory do what the files `<procPath>/disks` and `memory` say: they are the driver that
 * hangs. Names of real collectors, because those are the only ones there are.
 */
import { readFileSync } from 'node:fs';
import type { CollectorTable } from '../../src/telemetry/collectors/all.ts';
import type { Collector } from '../../src/telemetry/collectors/collector.ts';
import { runSamplerProcess } from '../../src/telemetry/sampler-process.ts';

const good: Collector<unknown> = () => ({ ok: true, value: [] });

function loopForEver(): void {
  while (true);
}

const faulty =
  (name: string): Collector<unknown> =>
  ({ procPath }) => {
    switch (readFileSync(`${procPath}/${name}`, 'utf8')) {
      case 'loop for ever':
        loopForEver();
        break;
      case 'read a pipe':
        // Nobody writes into it, so opening it waits in the kernel.
        readFileSync(`${procPath}/pipe`);
        break;
      case 'crash':
        process.abort();
    }
    return { ok: true, value: [] };
  };

export const FAULTY_TABLE: CollectorTable = {
  processes: { source: 'host', create: () => good },
  memory: { source: 'host', create: () => faulty('memory') },
  pressure: { source: 'gpu', create: () => good },
  disks: { source: 'gpu', create: () => faulty('disks') },
};

// Tests import the table.
if (process.env['PTQ_FAULTY_SAMPLER'] === '1') runSamplerProcess(FAULTY_TABLE);
