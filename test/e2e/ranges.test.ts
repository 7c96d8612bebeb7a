import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram } from '../support/program.ts';
import { FEEDBACK, writeRecurrentData, writeRecurrentModel } from '../support/recurrent-model.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Report {
  readonly calibration: { readonly samples: number; readonly reused?: boolean };
  readonly recipe: { readonly calibration: unknown };
}

/** Quantizes the digits; its report, or what it says to the error. */
async function quantize(output: string, ...options: string[]) {
  const args = ['quantize', DIGITS_MODEL, '-o', output, '--latency-gate', 'off', '--json', ...options];
  const { code, stdout, stderr } = await runProgram(args);
  return { code, stderr, report: stdout === '' ? undefined : (JSON.parse(stdout) as Report) };
}

describe.skipIf(!isBuilt)('saved ranges (skipped where `npm run build` was not run)', () => {
  it('make the same model without data, and another one where they were edited', async () => {
    const folder = temporaryFolder();
    const [first, second, third] = ['a', 'b', 'c'].map((name) => join(folder, `${name}.onnx`)) as [
      string,
      string,
      string,
    ];
    const file = join(folder, 'ranges.json');
    const calibration = ['--calibration', DIGITS_DATA, '--method', 'percentile', '--samples', '32'];
    const calibrated = await quantize(first, ...calibration, '--save-ranges', file);
    expect(calibrated).toMatchObject({ code: 0, report: { calibration: { samples: 32 } } });
    expect(calibrated.report?.calibration.reused).toBeUndefined();

    const reused = await quantize(second, '--ranges', file);
    expect(reused).toMatchObject({
      code: 0,
      report: {
        calibration: { samples: 32, reused: true, seconds: 0 },
        recipe: { calibration: { method: 'percentile', samples: 32 } },
      },
    });
    expect(readFileSync(second).equals(readFileSync(first))).toBe(true);

    const inspected = await runProgram(['inspect', file]);
    expect(inspected.stdout).toContain('percentile, samples 32');

    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/"max": [\d.]+/, '"max": 0.125'));
    expect(await quantize(third, '--ranges', file)).toMatchObject({ code: 0 });
    expect(readFileSync(third).equals(readFileSync(first))).toBe(false);

    writeFileSync(file, text.replace('"version": 1', '"version": 7'));
    const refused = await quantize(third, '--ranges', file);
    expect(refused).toMatchObject({ code: 2, report: undefined });
    expect(refused.stderr).toContain('ranges.json:3:14');
  }, 60_000);
});

describe.skipIf(!isBuilt)('a recurrent model (skipped where `npm run build` was not run)', () => {
  it('is evaluated and measured with the state that --state names, and asks for it without', async () => {
    const folder = temporaryFolder();
    const path = writeRecurrentModel(folder);
    const forgetful = writeRecurrentModel(folder, 'forgetful.onnx', 0);
    const data = ['--data', writeRecurrentData(folder, 4)];
    const state = ['--state', `${FEEDBACK.output}=${FEEDBACK.input}`];

    const without = await runProgram(['evaluate', path, forgetful, ...data]);
    expect(without).toMatchObject({ code: 2, stdout: '' });
    expect(without.stderr).toContain('--state stateN=state');

    const evaluated = await runProgram([
      'evaluate',
      path,
      forgetful,
      ...data,
      ...state,
      '--task',
      'fidelity',
      '--json',
    ]);
    expect(evaluated).toMatchObject({ code: 0 });
    // 1, 3, 6, 10 against 1, 2, 3, 4.
    const [result] = JSON.parse(evaluated.stdout) as { readonly sqnrDb: number }[];
    expect(result?.sqnrDb).toBeCloseTo(10 * Math.log10(146 / 46), 4);

    const benched = await runProgram(['bench', path, ...data, ...state, '--duration', '50ms', '--json']);
    expect(JSON.parse(benched.stdout)).toMatchObject([{ queries: expect.any(Number) }]);
    expect(benched.stderr).not.toContain('error');
  }, 60_000);
});
