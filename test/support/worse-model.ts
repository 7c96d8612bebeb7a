import { readModel } from '../../src/onnx/model-file.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { node, tensor } from './graph-builder.ts';
import { DIGITS_MODEL } from './program.ts';
import { unwrap } from './unwrap.ts';

/** Writes the bundled model of digits with a liking for zeros, which costs it many right answers. */
export function writeWorseDigits(path: string): void {
  const model = unwrap(readModel(DIGITS_MODEL));
  const graph = model.proto.graph;
  const last = graph?.node.find(({ output }) => output.includes('logits'));
  if (graph === undefined || last === undefined) throw new Error('the model has no logits');
  last.output = ['fair_logits'];
  graph.initializer.push(tensor('liking', [10], [12, ...new Array<number>(9).fill(0)]));
  graph.node.push(node('Add', ['fair_logits', 'liking'], ['logits']));
  unwrap(writeModel(model, path));
}
