import { describe, expect, it } from 'vitest';
import type { Variant } from '../../../src/page/resources.ts';
import {
  accuracyWords,
  bytes,
  kindWords,
  progressWords,
  quantity,
  seconds,
  speedUpWords,
  standingWords,
  verdictWords,
} from '../../../src/page/words.ts';

const speedUp = { outcome: 'faster', ratio: 2.961, lower: 2.92, upper: 3.004, valid: true };
const accuracy = { verdict: 'non_inferior', verdictReason: '', n: 9, agreement: 0.98765 };
const variant = (more: Partial<Variant>): Variant => ({ variant: 'int8', bench: [], speedUps: [], ...more });

describe('the words of the page', () => {
  it('tell a speed-up with its interval, and that it is not valid', () => {
    expect(speedUpWords(speedUp)).toBe('2.96× [2.92, 3.00]');
    expect(speedUpWords({ ...speedUp, valid: false })).toBe('2.96× [2.92, 3.00] not valid');
    expect(speedUpWords({ ...speedUp, ratio: null, lower: null, upper: null })).toBe('too few rounds');
    expect(speedUpWords(undefined)).toBe('–');
  });

  it('tell what kind of work a run is, by its name where they do not know it', () => {
    expect(['pipeline', 'explain', 'new'].map(kindWords)).toEqual(['full run', 'nodes explained', 'new']);
  });

  it('tell how surely a candidate keeps the budget, and of a standing that they do not know its name', () => {
    expect(standingWords('kept')).toEqual(['kept', 'good']);
    expect(standingWords('undecided')).toEqual(['kept?', 'good']);
    expect(standingWords('doubtful')).toEqual(['missed?', 'fair']);
    expect(standingWords('new')).toEqual(['new', 'open']);
    expect(standingWords(undefined)).toEqual(['not judged', 'open']);
  });

  it('tell the accuracy by its metric, without one how much is alike', () => {
    const figure = { metric: 'top1', value: 0.71234, reference: 0.7 };
    expect(accuracyWords(variant({ accuracy: { ...accuracy, figure } }))).toBe('top1 0.7123');
    expect(accuracyWords(variant({ accuracy: { ...accuracy, figure: { ...figure, value: null } } }))).toBe(
      '98.77 % alike',
    );
    expect(accuracyWords(variant({}))).toBe('–');
  });

  it('tell verdicts, also those that they do not know', () => {
    expect(verdictWords('regressed')).toEqual(['regressed', 'bad']);
    expect(verdictWords('of_tomorrow')).toEqual(['of_tomorrow', 'open']);
  });

  it('tell progress with and without a total', () => {
    expect(progressWords({ phase: 'bench', subject: 'offline int8', done: 3, total: 8, unit: 'turns' })).toBe(
      'bench offline int8: 3 of 8 turns',
    );
    expect(progressWords({ phase: 'evaluate', done: 3, unit: 'samples' })).toBe('evaluate: 3 samples');
  });

  it('tell quantities in their units', () => {
    expect([
      quantity(0.5, 'ratio'),
      quantity(2048, 'bytes'),
      quantity(2048, 'bytesPerSecond'),
      quantity(61.26, 'watts'),
      quantity(41.7, 'celsius'),
      quantity(0.0012, 'seconds'),
      quantity(1.23456, 'cores'),
    ]).toEqual(['50 %', '2.00 KiB', '2.00 KiB/s', '61.3 W', '42 °C', '1.20 ms', '1.235']);
    expect([seconds(null), bytes(undefined), seconds(0), bytes(0)]).toEqual(['–', '–', '0.00 ns', '0 B']);
  });
});
