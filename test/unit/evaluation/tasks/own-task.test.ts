import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ItemFacts } from '../../../../src/core/item.ts';
import { attempt, type Problem } from '../../../../src/core/problem.ts';
import type { NamedTensors } from '../../../../src/core/tensor.ts';
import type { Task } from '../../../../src/evaluation/task.ts';
import { adaptOwnTask } from '../../../../src/evaluation/tasks/own-task.ts';
import { repeatByWeight } from '../../../../src/evaluation/tasks/weighted-repeat.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const PATH = '/metrics/mine.mjs';
const EXAMPLE = new URL('../../../fixtures/own-task/median-error.mjs', import.meta.url);

const estimate = (value: number): NamedTensors => ({
  estimate: { type: 'float32', dims: [1], data: Float32Array.of(value) },
});
const target = (index: number, value: number): ItemFacts => ({
  index,
  truth: { kind: 'tensor', dims: [], values: [value] },
});

/** The smallest module that is a task: the mean of the answers. */
const MEAN = {
  metrics: [{ name: 'mean', better: 'higher' }],
  answer: (outputs: NamedTensors): unknown => outputs['estimate']?.data[0],
  figures: (answers: readonly number[]): unknown => ({
    mean: answers.length === 0 ? null : answers.reduce((a, b) => a + b) / answers.length,
  }),
};

const adapt = (more: object = {}): Task<unknown> => unwrap(adaptOwnTask({ ...MEAN, ...more }, PATH));

function failureOf(action: () => unknown): Problem {
  const result = attempt(action);
  if (result.ok) throw new Error('it did not fail');
  return result.error;
}

describe("the example of a user's own task", () => {
  it('is the one of the documentation', () => {
    const source = readFileSync(
      new URL('../../../../src/evaluation/tasks/own-task.ts', import.meta.url),
      'utf8',
    );
    const [, block = ''] = /```js\n([\s\S]*?) \* ```/.exec(source) ?? [];
    expect(block.replace(/^ \* ?/gm, '')).toBe(readFileSync(EXAMPLE, 'utf8'));
  });

  it('measures the median error', async () => {
    const task = unwrap(adaptOwnTask(await import(EXAMPLE.href), EXAMPLE.pathname));
    const answers = [1, 2, 9, 4].map((value, i) => unwrap(task.answer(estimate(value), target(i, 1))));
    expect(task.metrics).toEqual([
      { name: 'median_error', label: 'median error', better: 'lower', unit: 'number' },
    ]);
    expect(task.measure(answers, answers)()).toEqual({ median_error: 2 });
    expect(task.measure(answers, answers)([1, 0, 2, 0])).toEqual({ median_error: 8 });
    expect(task.measure([], [])()).toEqual({ median_error: null });
    expect(task.show(answers[2])).toBe('{"value":9,"error":8}');
    expect(task.same({ value: 1 }, { value: 1.005 })).toBe(true);
    expect(task.same({ value: 1 }, { value: 1.1 })).toBe(false);
  });
});

describe('adaptOwnTask', () => {
  it('takes named exports and a default export', () => {
    for (const module of [
      MEAN,
      { default: MEAN },
      { default: MEAN, 'module.exports': MEAN },
      { ...MEAN, default: {} },
    ]) {
      const task = unwrap(adaptOwnTask(module, PATH));
      expect(task).toMatchObject({ name: 'own', againstReference: false });
      expect(task.isRight).toBeUndefined();
      expect(task.metrics).toEqual([{ name: 'mean', label: 'mean', better: 'higher', unit: 'number' }]);
    }
  });

  it('uses what the module exports in place of the defaults', () => {
    const task = adapt({
      againstReference: true,
      same: () => true,
      show: (answer: unknown) => `it is ${answer}`,
      isRight: (answer: number) => (answer === 0 ? undefined : answer > 1),
    });
    expect(task.againstReference).toBe(true);
    expect(task.same(1, 2)).toBe(true);
    expect(task.show(5)).toBe('it is 5');
    expect([0, 1, 2].map((answer) => task.isRight?.(answer))).toEqual([undefined, false, true]);
  });

  it('otherwise compares and shows answers as JSON', () => {
    const task = adapt();
    expect(task.same({ scores: Float32Array.of(1) }, { scores: Float32Array.of(1) })).toBe(true);
    expect(task.same({ scores: Float32Array.of(1) }, { scores: Float32Array.of(2) })).toBe(false);
    expect(task.show({ scores: Float32Array.of(1) })).toBe('{"scores":[1]}');
  });

  it('gives the module numbers for half-precision outputs, and other outputs as they are', () => {
    const outputs = {
      estimate: { type: 'float16', dims: [1], data: Uint16Array.of(0x3e00) },
      ids: { type: 'int64', dims: [1], data: BigInt64Array.of(7n) },
    } as const;
    const task = adapt({ answer: (given: NamedTensors) => given });
    expect(unwrap(task.answer(outputs, { index: 0 }))).toEqual({
      estimate: { type: 'float32', dims: [1], data: Float32Array.of(1.5) },
      ids: outputs.ids,
    });
  });

  it("gives figures the reference's answers to the same items", () => {
    const task = adapt({
      figures: (answers: readonly number[], reference: readonly number[]) => ({
        mean: answers.filter((answer, i) => answer === reference[i]).length,
      }),
    });
    const measure = task.measure([1, 2, 3], [1, 5, 3]);
    expect(measure()).toEqual({ mean: 2 });
    expect(measure([0, 4, 3])).toEqual({ mean: 3 });
  });

  it('is not disturbed by figures that sort the list they are given', () => {
    const task = adapt({
      figures: (answers: number[]) => ({ mean: answers.sort((a, b) => a - b)[0] ?? null }),
    });
    const answers = [3, 1, 2];
    const measure = task.measure(answers, answers);
    expect(measure()).toEqual({ mean: 1 });
    expect(measure([1, 0, 1])).toEqual({ mean: 2 });
    expect(answers).toEqual([3, 1, 2]);
  });

  it('weighs answers as if they were repeated, with and without a measure of its own', () => {
    const measure = (answers: readonly number[]) => (weights?: ArrayLike<number>) => {
      let sum = 0;
      let count = 0;
      for (const [i, answer] of answers.entries()) {
        sum += answer * (weights?.[i] ?? 1);
        count += weights?.[i] ?? 1;
      }
      return { mean: count === 0 ? null : sum / count };
    };
    const items = fc.array(fc.record({ answer: fc.integer(), weight: fc.integer({ min: 0, max: 3 }) }));
    fc.assert(
      fc.property(items, fc.constantFrom({}, { measure }), (drawn, more) => {
        const task = adapt(more);
        const answers = drawn.map(({ answer }) => answer);
        const weights = drawn.map(({ weight }) => weight);
        const repeated = repeatByWeight(answers, weights);
        expect(task.measure(answers, answers)(weights)).toEqual(task.measure(repeated, repeated)());
      }),
    );
  });

  describe('refuses a module', () => {
    const metric = (more: object) => ({ metrics: [{ name: 'a', better: 'higher', ...more }] });

    it.each([
      ['that is none', { ...MEAN, metrics: undefined, answer: undefined, figures: undefined }, 'missing'],
      ['without metrics', { ...MEAN, metrics: undefined }, "'metrics' of the module is missing"],
      ['without answer', { ...MEAN, answer: undefined }, "'answer' of the module is missing"],
      ['without figures', { ...MEAN, figures: undefined }, "'figures' of the module is missing"],
      ['with a function that is none', { ...MEAN, show: 'short' }, '\'show\' of the module is "short"'],
      [
        'with an asynchronous function',
        { ...MEAN, answer: async () => 1 },
        "'answer' of the module is asynchronous",
      ],
      ['with a misspelled export', { ...MEAN, isright: () => true }, "exports 'isright'"],
      [
        'with another againstReference',
        { ...MEAN, againstReference: 1 },
        "'againstReference' of the module is 1",
      ],
      ['with metrics that are no list', { ...MEAN, metrics: MEAN.metrics[0] }, 'no list'],
      ['without a metric', { ...MEAN, metrics: [] }, 'lists 0 metrics'],
      ['with 21 metrics', { ...MEAN, metrics: Array(21).fill(MEAN.metrics[0]) }, 'lists 21 metrics'],
      ['with a metric twice', { ...MEAN, metrics: [MEAN.metrics[0], MEAN.metrics[0]] }, "names 'mean' twice"],
      ['with a metric that is a text', { ...MEAN, metrics: ['mean'] }, 'entry 0: it is "mean"'],
      ['with a capital in a name', { ...MEAN, ...metric({ name: 'Mean' }) }, 'the name "Mean"'],
      ['with a digit first', { ...MEAN, ...metric({ name: '1a' }) }, 'the name "1a"'],
      ['with a name that is too long', { ...MEAN, ...metric({ name: 'a'.repeat(64) }) }, 'the name'],
      ['with a name that is no text', { ...MEAN, ...metric({ name: 5 }) }, 'the name 5'],
      ['with another direction', { ...MEAN, ...metric({ better: 'more' }) }, '\'better\' is "more"'],
      ['with an empty label', { ...MEAN, ...metric({ label: ' ' }) }, "'label' is"],
      ['with another unit', { ...MEAN, ...metric({ unit: 'percent' }) }, '\'unit\' is "percent"'],
      ['with an unknown key of a metric', { ...MEAN, ...metric({ Unit: 'number' }) }, "'Unit' is not known"],
    ])('%s', (_what, module, named) => {
      const result = adaptOwnTask(module, PATH);
      if (result.ok) throw new Error('it was taken');
      expect(result.error).toMatchObject({ kind: 'task-module-invalid', place: { file: PATH } });
      expect(result.error.message).toContain(named);
      expect(result.error.hint).toBeDefined();
    });

    it.each([[undefined], [null], ['text'], [{}], [{ default: 5, other: 1 }]])('that is %o', (module) => {
      expect(adaptOwnTask(module, PATH)).toMatchObject({ ok: false, error: { kind: 'task-module-invalid' } });
    });

    it('but takes 20 metrics, and names of 63 characters', () => {
      const names = Array.from({ length: 20 }, (_, i) => `${'a'.repeat(61)}${i + 10}`);
      const metrics = names.map((name) => ({ name, better: 'lower' }));
      expect(unwrap(adaptOwnTask({ ...MEAN, metrics }, PATH)).metrics).toHaveLength(20);
    });
  });

  describe('throws a problem of the module', () => {
    it('that names file, line, function and sample of what it throws', async () => {
      const path = join(temporaryFolder(), 'my metric.mjs');
      await writeFile(
        path,
        [
          "export const metrics = [{ name: 'a', better: 'lower' }];",
          'export const figures = () => ({ a: 1 });',
          'export function answer(outputs) {',
          '  return outputs.logits.data[0];',
          '}',
        ].join('\n'),
      );
      const task = unwrap(adaptOwnTask(await import(pathToFileURL(path).href), path));
      const found = failureOf(() => task.answer(estimate(1), { index: 12 }));
      expect(found).toMatchObject({ kind: 'task-module-failed', place: { file: path, line: 4, sample: 12 } });
      expect(found.message).toMatch(/^'answer' of my metric\.mjs fails: Cannot read properties of undefined/);
      expect(found.hint).toBeDefined();
    });

    it('for whatever it throws', () => {
      const task = adapt({
        show: () => {
          throw 'no words';
        },
      });
      expect(failureOf(() => task.show(1))).toEqual({
        kind: 'task-module-failed',
        message: "'show' of mine.mjs fails: no words",
        place: { file: PATH },
        hint: 'correct the module',
      });
    });

    it.each([
      [
        'an answer that is missing',
        { answer: () => undefined },
        "'answer' of mine.mjs fails: it returns nothing",
      ],
      ['a promise', { answer: () => Promise.reject(new Error('late')) }, 'it returns a promise'],
    ])('for %s, with the sample', (_what, more, message) => {
      const found = failureOf(() => adapt(more).answer(estimate(1), { index: 4 }));
      expect(found).toMatchObject({ kind: 'task-module-failed', place: { file: PATH, sample: 4 } });
      expect(found.message).toContain(message);
    });

    it.each([
      [
        'same that gives no boolean',
        (task: Task<unknown>) => task.same(1, 2),
        { same: () => 1 },
        "'same' of mine.mjs fails: it returns 1, not a boolean",
      ],
      [
        'show that gives no text',
        (task: Task<unknown>) => task.show(1),
        { show: () => ({}) },
        'it returns {}, not a string',
      ],
      [
        'isRight that gives no boolean',
        (task: Task<unknown>) => task.isRight?.(1),
        { isRight: () => null },
        'it returns null',
      ],
      [
        'answers that cannot be compared',
        (task: Task<unknown>) => task.same(new Map(), new Map()),
        {},
        "export 'same'",
      ],
      [
        'measure that gives no function',
        (task: Task<unknown>) => task.measure([], []),
        { measure: () => ({}) },
        'not a function',
      ],
      [
        'measure that gives other figures',
        (task: Task<unknown>) => task.measure([1], [1]),
        { measure: () => () => ({ mean: 2 }) },
        "'mean' is 2, that of 'figures' is 1",
      ],
      [
        'measure that gives no figure',
        (task: Task<unknown>) => task.measure([0], [0]),
        { measure: () => () => ({ mean: null }) },
        "'mean' is null",
      ],
    ])('for %s', (_what, act, more, message) => {
      const found = failureOf(() => act(adapt(more)));
      expect(found).toMatchObject({ kind: 'task-module-failed', place: { file: PATH } });
      expect(found.message).toContain(message);
    });

    it.each([
      ['no object', 5, 'it must return an object'],
      ['null', null, 'it must return an object'],
      ['a list', [1], 'it must return an object'],
      ['a promise', Promise.resolve({ mean: 1 }), 'it returns a promise'],
      ['a figure too few', {}, "'mean' is nothing"],
      ['a figure too many', { mean: 1, median: 1 }, "it returns 'median', which 'metrics' does not name"],
      ['NaN', { mean: Number.NaN }, '\'mean\' is "NaN"'],
      ['an infinity', { mean: Number.POSITIVE_INFINITY }, '\'mean\' is "Infinity"'],
      ['a text', { mean: '0.5' }, '\'mean\' is "0.5"'],
    ])('for figures that are %s', (_what, figures, message) => {
      const found = failureOf(() => adapt({ figures: () => figures }).measure([1], [1])());
      expect(found).toMatchObject({ kind: 'task-module-failed', place: { file: PATH } });
      expect(found.message).toContain(message);
      expect(found.message).toContain("'figures' of mine.mjs");
    });
  });
});
