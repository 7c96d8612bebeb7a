import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNodeFacts } from '../../../src/jobs/node-facts.ts';
import { encodeModel } from '../../../src/onnx/model-file.ts';
import { chain } from '../../support/chain.ts';
import { intsConstant, waveConstant } from '../../support/constants.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

describe('facts of nodes', () => {
  it('are the weights and kernels of the graph that the runtime made', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'model.onnx');
    const made = model(
      graph({
        inputs: [value('x', 'float', [1, 1, 4, 4])],
        nodes: [
          node('MaxPool', ['x'], ['p'], { kernel_shape: [3, 2] }, { name: '/pool' }),
          node('Reshape', ['p', 'shape'], ['r'], {}, { name: '/reshape' }),
          node('MatMul', ['r', 'w'], ['y'], {}, { name: '/fc' }),
        ],
        outputs: [value('y')],
        initializers: [waveConstant('w', [6, 2]), intsConstant('shape', 1, -1)],
      }),
    );
    writeFileSync(path, unwrap(encodeModel(made)));
    const find = unwrap(await readNodeFacts(path, { device: 'cpu', scratch: folder }));
    expect(find('/pool')?.kernelShape).toEqual([3, 2]);
    expect(find('/fc')?.weights).toEqual([{ type: 'float', dims: [6, 2] }]);
    expect(find('/nothing')).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['model.onnx']);
  });

  it('of a model that cannot be loaded are a problem', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'model.onnx');
    writeFileSync(path, unwrap(encodeModel(chain(13, [node('Mystery', ['x'], ['y'])], [1]))));
    expect(await readNodeFacts(path, { device: 'cpu', scratch: folder })).toMatchObject({
      ok: false,
      error: { kind: 'model-rejected-by-runtime' },
    });
    expect(readdirSync(folder)).toEqual(['model.onnx']);
  });
});
