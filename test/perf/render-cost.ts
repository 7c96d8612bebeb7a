import { Gauge, Registry } from 'prom-client';
import { renderExposition } from '../../src/metrics/exposition.ts';
import { createRegistry, gaugeFamily } from '../../src/metrics/families.ts';

/** Times to turn one gauge of many series into the bytes of a scrape. */
export interface RenderCost {
  readonly how: string;
  readonly p50Ms: number;
  readonly maxMs: number;
}

const NAMES = ['model', 'variant', 'provider', 'scenario', 'suite', 'measurement'] as const;

/** Compares our serializer with prom-client's, on the labels of a benchmark. Nothing else of a scrape is in the times. */
export async function renderCost(series: number, renders: number): Promise<readonly RenderCost[]> {
  const labels = Array.from({ length: series }, (_, at) => ({
    model: `model-${at % 50}`,
    variant: `int8-${at}`,
    provider: 'CPUExecutionProvider',
    scenario: 'single-stream',
    suite: 'profile',
    measurement: 'single-stream',
  }));
  const theirs = new Registry();
  const options = { name: 'ptq_bench_latency_seconds', help: 'Latency.', labelNames: NAMES };
  const gauge = new Gauge({ ...options, registers: [theirs] });
  const ours = createRegistry();
  const family = gaugeFamily({ ...options, registry: ours });
  const setAll = (round: number) => {
    for (const [at, of] of labels.entries()) family.set(of, (at + 1) / (round + 3));
  };
  for (const [at, of] of labels.entries()) gauge.set(of, (at + 1) / 3);
  setAll(0);
  const render = () => renderExposition(ours, 'openmetrics');
  return [
    await time('prom-client', renders, () => theirs.metrics()),
    await time('ours, every value changed', renders, render, setAll),
    await time('ours, none changed', renders, render),
  ];
}

async function time(
  how: string,
  renders: number,
  render: () => Promise<string>,
  prepare: (round: number) => void = () => {},
): Promise<RenderCost> {
  const milliseconds: number[] = [];
  for (let round = 1; round <= renders; round += 1) {
    prepare(round);
    const startMs = performance.now();
    Buffer.from(await render());
    milliseconds.push(performance.now() - startMs);
  }
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return { how, p50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0, maxMs: sorted.at(-1) ?? 0 };
}
