import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { attemptAsync } from '../../../src/core/problem.ts';
import { selfCheck } from '../../../src/jobs/self-check.ts';
import type { OnnxModel } from '../../../src/onnx/model-file.ts';
import { encodeModel } from '../../../src/onnx/model-file.ts';
import { STATIC_INT8 } from '../../../src/quantization/recipe.ts';
import { chain } from '../../support/chain.ts';
import { node } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const doubled = chain(13, [node('Add', ['x', 'x'], ['y'])], [4]);
const infinite = chain(13, [node('Sub', ['x', 'x'], ['zero']), node('Log', ['zero'], ['y'])], [4]);

/** Checks `result` against `original` without data, with a limit on the size of originals. */
function check(original: OnnxModel, result: OnnxModel, largestComparedBytes: number) {
  const folder = temporaryFolder();
  const write = (name: string, given: OnnxModel) => {
    const path = join(folder, name);
    writeFileSync(path, unwrap(encodeModel(given)));
    return path;
  };
  const task = {
    kind: 'quantize',
    modelPath: write('original.onnx', original),
    outputPath: write('quantized.onnx', result),
    recipe: STATIC_INT8,
    threads: 1,
  } as const;
  const context = { clock: systemClock, emit: () => {} };
  return attemptAsync(() => selfCheck(task, context, largestComparedBytes));
}

describe('selfCheck', () => {
  it('compares with the original where it is small enough to be loaded too', async () => {
    expect(unwrap(await check(doubled, doubled, 1e6))).toEqual({ on: 'generated', samples: 1, sqnrDb: null });
  });

  it('looks at the result alone where the original is too large', async () => {
    expect(unwrap(await check(doubled, doubled, 10))).toEqual({
      on: 'generated',
      samples: 1,
      sqnrDb: null,
      alone: true,
    });
  });

  it('refuses a result that gives infinity where the original does not', async () => {
    expect(await check(doubled, infinite, 1e6)).toMatchObject({
      ok: false,
      error: { kind: 'quantized-model-unusable' },
    });
  });

  it('does not count a made-up input that says nothing of a result that is looked at alone', async () => {
    expect(unwrap(await check(doubled, infinite, 10))).toMatchObject({ samples: 0, alone: true });
  });
});
