import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const RECORDED = join(import.meta.dirname, '../fixtures/golden/metrics.prom');

/** Models have more than one variant, which a query that adds labels must not mistake for each other. */
function withAnotherVariant(exposition: string): string {
  return exposition.replace(
    /^.*variant="int8".*$/gm,
    (line) => `${line}\n${line.replace('variant="int8"', 'variant="int4"')}`,
  );
}

/**
 * Answers scrapes with the recorded exposition, which has every metric that an agent can have, those of GPUs and drives
 * included. Counters grow from scrape to scrape, as those of a host at work do.
 */
export async function startRecordedAgent(): Promise<{ readonly address: string; readonly stop: () => void }> {
  const recorded = withAnotherVariant(readFileSync(RECORDED, 'utf8'));
  let scrapes = 0;
  const server = createServer((_request, answer) => {
    scrapes++;
    answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    answer.end(recorded.replace(/^(\w+_(?:total|bucket|sum|count)(?:\{.*\})?) (\S+)$/gm, grown(scrapes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => server.close(),
  };
}

function grown(times: number): (line: string, series: string, value: string) => string {
  return (line, series, value) => {
    const number = Number(value);
    return Number.isFinite(number) ? `${series} ${number * (1 + times / 10)}` : line;
  };
}
