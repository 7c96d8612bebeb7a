import { describe, expect, it } from 'vitest';
import {
  changeWords,
  differenceWords,
  percent,
  points,
  pValueWords,
} from '../../../../src/evaluation/statistics/figure-words.ts';

const SHARE = { label: 'F1', unit: 'proportion' } as const;
const NUMBER = { label: 'MAE', unit: 'number' } as const;

describe('words for figures', () => {
  it('say shares in percent, and their differences in percentage points', () => {
    expect(percent(0.76449)).toBe('76.45 %');
    expect(percent(1)).toBe('100 %');
    expect(points(0.01)).toBe('1 percentage point');
    expect(points(0.0012345)).toBe('0.123 percentage points');
    expect(differenceWords(SHARE, 0.02)).toBe('2 percentage points');
    expect(changeWords(SHARE, 0.9, 0.8812)).toBe('F1 went from 90 % to 88.12 %');
  });

  it('say other figures with three significant digits', () => {
    expect(differenceWords(NUMBER, 0.0012345)).toBe('0.00123');
    expect(differenceWords(NUMBER, 123_456)).toBe('123000');
    expect(changeWords(NUMBER, 1.23456, 2.5)).toBe('MAE went from 1.23 to 2.5');
  });

  it('give two figures as many digits as it takes to tell them apart, up to six', () => {
    expect(changeWords(NUMBER, 1.2341, 1.2349)).toBe('MAE went from 1.234 to 1.235');
    expect(changeWords(NUMBER, 1.234567, 1.2345671)).toBe('MAE went from 1.23457 to 1.23457');
    expect(changeWords(NUMBER, 1.23456, 1.23456)).toBe('MAE went from 1.23 to 1.23');
  });

  it('say p-values with three decimals, and small ones as a power of ten', () => {
    expect(pValueWords(0.0312)).toBe('0.031');
    expect(pValueWords(0.00098)).toBe('9.8e-4');
    expect(pValueWords(1)).toBe('1.000');
    expect(pValueWords(0)).toBe('0.000');
  });
});
