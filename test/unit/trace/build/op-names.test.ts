import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpNames, shortModelNames } from '../../../../src/trace/build/op-names.ts';

const AS_TOOLS_READ = /^[A-Za-z0-9.][A-Za-z0-9_./>-]*:[A-Z_][A-Za-z0-9_]*$/;

describe('names of operators', () => {
  it.each([
    ['/model/conv1/Conv', 'Conv', 'model/conv1/Conv:Conv'],
    ['layer:0', 'Relu', 'layer_0:Relu'],
    ['卷积', 'Conv', 'Conv:Conv'],
    ['_hidden', 'Add', 'hidden:Add'],
    ['', 'Add', 'Add:Add'],
    ['x', 'lowerCase', 'x:_lowerCase'],
    ['x', 'my.Op', 'x:_my_Op'],
    ['', '卷积', 'op:__'],
  ])('%j of %s is %s', (node, op, label) => {
    expect(new OpNames().labelOf('', node, op)).toBe(label);
  });

  it('are different for different nodes, and the same for the same', () => {
    const names = new OpNames();
    expect(['卷', '积', '卷'].map((node) => names.labelOf('', node, 'Conv'))).toEqual([
      'Conv:Conv',
      'Conv_2:Conv',
      'Conv:Conv',
    ]);
    expect(names.labelOf('int8', '/a', 'Conv')).toBe('int8/a:Conv');
    expect(names.labelOf('fp32', '/a', 'Conv')).toBe('fp32/a:Conv');
  });

  it('are such as tools read, whatever the model has', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ minLength: 1 }))), (nodes) => {
        const names = new OpNames();
        const labels = new Map(nodes.map(([node, op]) => [node, names.labelOf('', node, op)]));
        for (const label of labels.values()) expect(label).toMatch(AS_TOOLS_READ);
        expect(new Set([...labels.values()].map((label) => label.split(':')[0])).size).toBe(labels.size);
      }),
    );
  });
});

describe('short names of models', () => {
  it('are what stands behind the colon, where that tells them apart', () => {
    expect([...shortModelNames(['net:fp32', 'net:int8', 'net:fp32'])]).toEqual([
      ['net:fp32', 'fp32'],
      ['net:int8', 'int8'],
    ]);
    expect([...shortModelNames(['a:int8', 'b:int8']).values()]).toEqual(['a_int8', 'b_int8']);
    expect([...shortModelNames(['a', '卷:积']).values()]).toEqual(['a', '']);
  });
});
