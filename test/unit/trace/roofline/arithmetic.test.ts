import { expect, test } from 'vitest';
import { arithmeticOf } from '../../../../src/trace/roofline/arithmetic.ts';

test.each([
  ['QLinearConv', ['uint8', 'float', 'uint8', 'int8']],
  ['QLinearMatMul', ['uint8']],
  ['MatMulInteger', ['uint8']],
  ['MatMulIntegerToFloat', ['uint8', 'float']],
  ['ConvInteger', ['uint8', 'int8']],
  ['QGemm', ['uint8']],
  ['DynamicQuantizeMatMul', ['float']],
  ['DynamicQuantizeLSTM', ['float']],
  ['MatMulNBits', ['float', 'uint8']],
])('%s computes in int8', (op, types) => {
  expect(arithmeticOf(op, types)).toBe('int8');
});

test.each([
  ['Conv', ['float', 'float'], 'float32'],
  ['MatMul', ['float16'], 'float16'],
  ['Gather', ['int64', 'float16'], 'float16'],
  ['QuantizeLinear', ['float', 'uint8'], 'float32'],
  ['DequantizeLinear', ['uint8', 'float'], 'float32'],
  ['DynamicQuantizeLinear', ['float'], 'float32'],
  ['MaxPool', ['uint8'], 'float32'],
  ['Shape', [], 'float32'],
] as const)('%s of %s computes in %s', (op, types, arithmetic) => {
  expect(arithmeticOf(op, types)).toBe(arithmetic);
});
