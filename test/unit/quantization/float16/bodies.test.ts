import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { findAttribute } from '../../../../src/onnx/attributes.ts';
import { DATA_TYPE, type NodeProto } from '../../../../src/onnx/messages.ts';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { graph, model, node, tensor, value } from '../../../support/graph-builder.ts';
import { wavyFeed } from '../../../support/run-model.ts';
import { convert, convertAndCompare, initializerTypes, nodesOf, recipe, wavy } from './conversion.ts';

describe('bodies', () => {
  const choice = (): OnnxModel =>
    model(
      graph({
        inputs: [value('x', 'float', [1, 4]), value('c', 'bool', [])],
        nodes: [
          node('Relu', ['x'], ['a']),
          node('If', ['c'], ['b'], {
            then_branch: graph({
              nodes: [
                node('Constant', [], ['k'], { value: tensor('', [4], wavy(4)) }),
                node('Mul', ['a', 'k'], ['t1']),
                node('Add', ['t1', 'w'], ['t2']),
              ],
              outputs: [value('t2')],
            }),
            else_branch: graph({
              nodes: [node('CumSum', ['a', 'axis'], ['e'])],
              outputs: [value('e')],
            }),
          }),
          node('Sigmoid', ['b'], ['y']),
        ],
        outputs: [value('y')],
        initializers: [tensor('w', [4], wavy(4)), tensor('axis', [], [1], 'int64')],
      }),
      { opset: 14 },
    );
  const feeds = (c: boolean) => ({ x: wavyFeed(1, 4), c: new Tensor('bool', [c], []) });

  it.each([true, false])('are converted inside and keep float32 at their edges (condition %s)', async (c) => {
    const { converted, report } = await convertAndCompare(choice(), feeds(c));
    expect(report.converted).toBe(4);
    expect(report.float.map(({ op }) => op)).toEqual(['CumSum']);
    expect(initializerTypes(converted)['w']).toBe(DATA_TYPE.float16);
    const [branch] = nodesOf(converted, 'If');
    const then = findAttribute(branch as NodeProto, 'then_branch')?.g;
    expect(then?.node.map(({ opType }) => opType)).toEqual(['Constant', 'Mul', 'Add', 'Cast']);
    expect(then?.node[1]?.input).toEqual(['a', 'k']);
    const otherwise = findAttribute(branch as NodeProto, 'else_branch')?.g;
    expect(otherwise?.node[0]?.input[0]).toBe('a_float32');
  });

  it('of an excluded node do not change, and read float32', async () => {
    const { converted } = await convertAndCompare(choice(), feeds(true), 50, recipe({ opTypes: ['If'] }));
    const then = findAttribute(nodesOf(converted, 'If')[0] as NodeProto, 'then_branch')?.g;
    expect(then?.node.map(({ opType, input }) => [opType, ...input])).toEqual([
      ['Constant'],
      ['Mul', 'a_float32', 'k'],
      ['Add', 't1', 'w'],
    ]);
    expect(initializerTypes(converted)['w']).toBe(DATA_TYPE.float);
  });

  it('keep float32 at their edges even where the model does not', () => {
    const given = choice();
    convert(given, recipe({ keepIo: false }));
    const [branch] = nodesOf(given, 'If');
    for (const name of ['then_branch', 'else_branch']) {
      const body = findAttribute(branch as NodeProto, name)?.g;
      expect(body?.output[0]?.type?.tensorType?.elemType).toBe(DATA_TYPE.float);
    }
  });

  it('of a Loop carry their state in float32', async () => {
    const given = model(
      graph({
        inputs: [value('x', 'float', [4])],
        nodes: [
          node('Relu', ['x'], ['first']),
          node('Loop', ['count', '', 'first'], ['last', 'steps'], {
            body: graph({
              inputs: [value('i', 'int64', []), value('go', 'bool', []), value('state', 'float', [4])],
              nodes: [
                node('Identity', ['go'], ['on']),
                node('Mul', ['state', 'w'], ['scaled']),
                node('Add', ['scaled', 'x'], ['next']),
                node('Neg', ['next'], ['step']),
              ],
              outputs: [value('on', 'bool', []), value('next', 'float', [4]), value('step', 'float', [4])],
            }),
          }),
          node('Add', ['last', 'last'], ['y']),
        ],
        outputs: [value('y'), value('steps')],
        initializers: [tensor('count', [], [3], 'int64'), tensor('w', [4], wavy(4))],
      }),
    );
    const { report } = await convertAndCompare(given, { x: wavyFeed(4) });
    expect(report).toMatchObject({ converted: 5, float: [] });
  });
});
