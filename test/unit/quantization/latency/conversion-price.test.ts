import { describe, expect, it } from 'vitest';
import { conversionPrice } from '../../../../src/quantization/latency/conversion-price.ts';

const kernel = (op: string, ns: number, outputBytes: number) => ({ node: 'k', op, ns, outputBytes });

describe('the price of a conversion', () => {
  it('has the fixed part of the quickest and a part per element, of one byte as codes and four as floats', () => {
    const price = conversionPrice([
      kernel('QuantizeLinear', 1000, 10),
      kernel('DequantizeLinear', 11_000, 4 * 9_990),
    ]);
    expect(price(0)).toBe(1000);
    expect(price(2000)).toBeCloseTo(3000);
  });

  it('counts changes of the layout in', () => {
    const one = [kernel('QuantizeLinear', 1000, 1000)];
    expect(conversionPrice([...one, kernel('Transpose', 3000, 1000)])(500)).toBe(2000);
  });

  it('is never less than what a kernel takes at best', () => {
    expect(conversionPrice([kernel('QuantizeLinear', 0, 1000)])(4000)).toBe(1500);
    expect(conversionPrice([])(4000)).toBe(1500);
  });
});
