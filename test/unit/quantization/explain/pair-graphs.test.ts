import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../../../../src/onnx/model-file.ts';
import { pairGraphs } from '../../../../src/quantization/explain/pair-graphs.ts';
import { readQuantizedGraph } from '../../../../src/quantization/explain/quantized-graph.ts';
import { viewGraph } from '../../../../src/quantization/graph-view.ts';
import { FITTING, floatChain, qdqChain } from '../../../support/explained-models.ts';

function pair(quantized: OnnxModel, float = floatChain()) {
  const view = viewGraph(quantized);
  return pairGraphs(readQuantizedGraph(view), view, viewGraph(float));
}

const namesOf = ({ nodes }: ReturnType<typeof pair>) =>
  nodes.map(({ float, output }) => [float.name, output]);
const ALL = [
  ['first', 'r0'],
  ['second', 'h1'],
  ['third', 'y'],
];

function renamed(given: OnnxModel, change: (name: string) => string): OnnxModel {
  for (const node of given.proto.graph?.node ?? [])
    if (node.opType === 'MatMul') node.name = change(node.name ?? '');
  return given;
}

describe('pairGraphs', () => {
  it('pairs nodes by their names, and by those that tools lengthen', () => {
    expect(namesOf(pair(qdqChain(FITTING)))).toEqual(ALL);
    expect(namesOf(pair(renamed(qdqChain(FITTING), (name) => `${name}_quant`)))).toEqual(ALL);
  });

  it('pairs nodes without names by the names of their results', () => {
    expect(namesOf(pair(renamed(qdqChain(FITTING), () => '')))).toEqual(ALL);
  });

  it('pairs nodes of other names throughout by what they read', () => {
    const other = renamed(qdqChain(FITTING), (name) => `other_${name}`);
    const graph = other.proto.graph;
    const rename = (name: string) =>
      name === 'x' || name === 'y' ? name : name.replace(/^([hr])/, 'tensor_$1');
    for (const node of graph?.node ?? []) {
      node.input = node.input.map(rename);
      node.output = node.output.map(rename);
    }
    for (const constant of graph?.initializer ?? []) constant.name = rename(constant.name ?? '');
    const pairing = pair(other);
    expect(pairing.unpaired).toEqual([]);
    expect(pairing.nodes.map(({ float }) => float.name)).toEqual(['first', 'second', 'third']);
  });

  it('knows what is rounded by its name in the float32 model', () => {
    const { rounded } = pair(qdqChain(FITTING));
    expect([...rounded.keys()]).toEqual(['x', 'r0', 'h1']);
  });

  it('says which nodes it does not find, and goes on', () => {
    const float = floatChain();
    const graph = float.proto.graph;
    const second = graph?.node.find(({ name }) => name === 'second');
    if (second !== undefined) Object.assign(second, { opType: 'Mul' });
    const { nodes, unpaired } = pair(qdqChain(FITTING), float);
    expect(unpaired).toEqual([
      { node: 'second', op: 'MatMul', reason: expect.stringContaining('has no node') },
    ]);
    expect(nodes.map(({ float: { name } }) => name)).toEqual(['first', 'third']);
  });
});
