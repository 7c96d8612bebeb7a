import fc from 'fast-check';
import { Counter, Histogram } from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import { describeMetrics, renderExposition } from '../../../src/metrics/exposition.ts';
import { createRegistry, type MetricRegistry, seriesFamily } from '../../../src/metrics/families.ts';
import { parseExposition } from '../../support/parse-exposition.ts';

const FORMATS = ['text', 'openmetrics'] as const;

function registryOf(...fill: ((registry: MetricRegistry) => void)[]): MetricRegistry {
  const registry = createRegistry();
  for (const one of fill) one(registry);
  return registry;
}

const gauge = (registry: MetricRegistry) =>
  seriesFamily('gauge', { registry, name: 'a_bytes', help: 'How much.', labelNames: ['device'] }).set(
    { device: 'x' },
    1.5,
  );

const countedElsewhere = (registry: MetricRegistry) =>
  seriesFamily('counter', { registry, name: 'b_total', help: 'How often.', labelNames: [] }).set({}, 2e21);

const identity = (registry: MetricRegistry) =>
  seriesFamily('info', { registry, name: 'c_info', help: 'Who.', labelNames: ['who'] }).set({ who: 'me' }, 1);

const counter = (registry: MetricRegistry) =>
  new Counter({ registers: [registry], name: 'd_seconds_total', help: 'Time.', labelNames: ['kind'] }).inc(
    { kind: 'q' },
    3,
  );

function histogram(registry: MetricRegistry): void {
  const made = new Histogram<string>({
    registers: [registry],
    name: 'e_seconds',
    help: 'Durations.',
    labelNames: ['kind'],
    buckets: [0.5, 1],
    enableExemplars: true,
  });
  vi.useFakeTimers({ now: 1_790_000_000_250 });
  made.observe({ labels: { kind: 'q' }, value: 0.75, exemplarLabels: { run_id: '01' } });
  vi.useRealTimers();
}

describe('an exposition', () => {
  it('is in text format 0.0.4 what prom-client would write, apart from blank lines and the spelling of bounds', async () => {
    const registry = registryOf(gauge, countedElsewhere, identity, counter, histogram);
    const ours = await renderExposition(registry, 'text');
    registry.setContentType('text/plain; version=0.0.4; charset=utf-8' as never);
    const theirs = (await registry.metrics())
      .replaceAll('\n\n', '\n')
      .replaceAll(/\{le="(.*?)",(.*?)\}/g, '{$2,le="$1"}')
      .replaceAll('le="1"', 'le="1.0"');
    expect(ours).toBe(theirs);
  });

  it('has in OpenMetrics the names, types, units and exemplars of that format, and an end', async () => {
    const registry = registryOf(gauge, countedElsewhere, identity, counter, histogram);
    expect((await renderExposition(registry, 'openmetrics')).split('\n')).toEqual([
      '# TYPE a_bytes gauge',
      '# UNIT a_bytes bytes',
      '# HELP a_bytes How much.',
      'a_bytes{device="x"} 1.5',
      '# TYPE b counter',
      '# HELP b How often.',
      'b_total 2e+21',
      '# TYPE c info',
      '# HELP c Who.',
      'c_info{who="me"} 1',
      '# TYPE d_seconds counter',
      '# UNIT d_seconds seconds',
      '# HELP d_seconds Time.',
      'd_seconds_total{kind="q"} 3',
      '# TYPE e_seconds histogram',
      '# UNIT e_seconds seconds',
      '# HELP e_seconds Durations.',
      'e_seconds_bucket{kind="q",le="0.5"} 0',
      'e_seconds_bucket{kind="q",le="1.0"} 1 # {run_id="01"} 0.75 1790000000.25',
      'e_seconds_bucket{kind="q",le="+Inf"} 1',
      'e_seconds_sum{kind="q"} 0.75',
      'e_seconds_count{kind="q"} 1',
      '# EOF',
      '',
    ]);
  });

  it('is the same text after the other format was asked for', async () => {
    const registry = registryOf(gauge, countedElsewhere, identity, counter, histogram);
    const before = await renderExposition(registry, 'text');
    await renderExposition(registry, 'openmetrics');
    expect(await renderExposition(registry, 'text')).toBe(before);
    expect(before).not.toContain('run_id');
  });

  it('has only its end where there is no series', async () => {
    const empty = registryOf((registry) => {
      seriesFamily('gauge', { registry, name: 'a', help: 'h', labelNames: [] });
    });
    expect(await renderExposition(empty, 'text')).toBe('');
    expect(await renderExposition(empty, 'openmetrics')).toBe('# EOF\n');
  });

  it('spells values that are no numbers as Prometheus does', async () => {
    const registry = createRegistry();
    const family = seriesFamily('gauge', { registry, name: 'a', help: 'h', labelNames: ['of'] });
    family.set({ of: 'more' }, Number.POSITIVE_INFINITY);
    family.set({ of: 'less' }, Number.NEGATIVE_INFINITY);
    family.set({ of: 'none' }, Number.NaN);
    expect(await renderExposition(registry, 'text')).toBe(
      '# HELP a h\n# TYPE a gauge\na{of="more"} +Inf\na{of="less"} -Inf\n',
    );
  });

  it('refuses a name that is taken', () => {
    expect(() => registryOf(gauge, gauge)).toThrow('already been registered');
  });

  it('describes what there can be, with or without series', () => {
    const registry = registryOf(counter, identity);
    expect(describeMetrics(registry)).toEqual([
      { name: 'd_seconds_total', type: 'counter', unit: 'seconds', labelNames: ['kind'], help: 'Time.' },
      { name: 'c_info', type: 'info', labelNames: ['who'], help: 'Who.' },
    ]);
  });

  // Lone halves of surrogate pairs have no UTF-8.
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', '=', ' ', '\r', '#') }),
  );
  const finite = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => (value === 0 ? 0 : value));
  const help = text.filter((one) => one !== '');

  it.each(FORMATS)('gives back every label, help and value in %s', async (format) => {
    await fc.assert(
      fc.asyncProperty(
        help,
        fc.uniqueArray(fc.record({ one: text, two: text, value: finite }), {
          selector: ({ one, two }) => JSON.stringify([one, two]),
          minLength: 1,
        }),
        async (about, series) => {
          const registry = createRegistry();
          const options = { registry, help: about, labelNames: ['one', 'two'] as const };
          const gauges = seriesFamily('gauge', { ...options, name: 'a_ratio' });
          const counters = new Counter({
            registers: [registry],
            help: about,
            name: 'b_total',
            labelNames: ['one', 'two'],
          });
          for (const { one, two, value } of series) {
            gauges.set({ one, two }, value);
            counters.inc({ one, two }, Math.abs(value));
          }
          const parsed = parseExposition(await renderExposition(registry, format), format);
          const expected = (value: (of: number) => number) =>
            series.map(({ one, two, value: of }) => ({ labels: { one, two }, value: value(of) }));
          expect(parsed.map(({ help }) => help)).toEqual([about, about]);
          const read = parsed.map(({ samples }) => samples.map(({ labels, value }) => ({ labels, value })));
          expect(read).toEqual([expected((of) => of), expected(Math.abs)]);
        },
      ),
    );
  });
});
