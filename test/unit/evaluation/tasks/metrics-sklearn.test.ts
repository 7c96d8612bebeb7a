import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Figures } from '../../../../src/evaluation/task.ts';
import { figuresOf, type MetricCase } from './metric-cases.ts';
import { expectSameFigures } from './same-figures.ts';

// test/fixtures/metrics/make.py wrote the cases and what scikit-learn says about them.
const recorded = JSON.parse(
  readFileSync(new URL('../../../fixtures/metrics/metrics.json', import.meta.url), 'utf8'),
) as readonly (MetricCase & { readonly figures: Figures })[];

const TASKS = [...new Set(recorded.map(({ task }) => task))];

describe('figures of the tasks', () => {
  it.each(TASKS)('of %s are those of scikit-learn, weighted and not', (task) => {
    const cases = recorded.filter((metricCase) => metricCase.task === task);
    expect(cases.length).toBeGreaterThan(5);
    for (const metricCase of cases) expectSameFigures(figuresOf(metricCase), metricCase.figures, metricCase);
  });
});
