import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe.skipIf(!isBuilt)('recipes without data (skipped where `npm run build` was not run)', () => {
  it('make models by the program which it then finds as good as the original', async () => {
    const folder = temporaryFolder();
    const int4 = join(folder, 'int4.onnx');
    const half = join(folder, 'half.onnx');

    const weights = ['--recipe', 'weight-int4', '--block-size', '64'];
    const madeInt4 = await runProgram(['quantize', DIGITS_MODEL, '-o', int4, ...weights, '--json']);
    expect(madeInt4).toMatchObject({ code: 0 });
    expect(JSON.parse(madeInt4.stdout)).toMatchObject({
      output: int4,
      recipe: { format: 'weight-int4', blockSize: 64 },
      ops: { quantized: 1, fused: 1, notFused: [] },
      selfCheck: { on: 'generated', samples: 1 },
    });

    const float16 = ['--recipe', 'float16', '--no-keep-io'];
    const madeHalf = await runProgram(['quantize', DIGITS_MODEL, '-o', half, ...float16]);
    expect(madeHalf).toMatchObject({ code: 0 });
    expect(madeHalf.stdout).toContain('23 nodes compute in float16 where the provider can');
    expect(madeHalf.stdout).toMatch(
      /^ {2}self-check {3}\d+\.\d dB SQNR against float32 on a made-up input$/m,
    );
    expect((await runProgram(['inspect', half])).stdout).toContain('image: float16[N,1,8,8]');

    const evaluate = ['evaluate', DIGITS_MODEL, int4, half, '--data', DIGITS_DATA, '--samples', '200'];
    const evaluated = await runProgram([...evaluate, '--json']);
    expect(evaluated).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error') });
    const variants = JSON.parse(evaluated.stdout) as { variant: string; n: number; sqnrDb: number }[];
    expect(variants.map(({ variant, n }) => ({ variant, n }))).toEqual([
      { variant: 'int4', n: 200 },
      { variant: 'half', n: 200 },
    ]);
    expect(variants[0]?.sqnrDb).toBeGreaterThan(20);
    expect(variants[1]?.sqnrDb).toBeGreaterThan(50);
  }, 60_000);

  it('are named by static-int8 without data', async () => {
    const finished = await runProgram(['quantize', DIGITS_MODEL, '-o', join(temporaryFolder(), 'q.onnx')]);
    expect(finished).toMatchObject({ code: 2, stdout: '' });
    expect(finished.stderr).toContain('[no-calibration-data]');
    expect(finished.stderr).toContain('--calibration');
  });
});
