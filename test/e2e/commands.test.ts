import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderRun } from '../../src/cli/run-report.ts';
import { loadProfile } from '../../src/config/load-profiles.ts';
import type { PipelineResult } from '../../src/jobs/pipeline.ts';
import { until } from '../support/daemon.ts';
import {
  childrenOf,
  DIGITS_DATA,
  DIGITS_MODEL,
  isBuilt,
  isRunning,
  runProgram,
  startProgram,
  writeProfile,
} from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe.skipIf(!isBuilt)('ptq-agent (skipped where `npm run build` was not run)', () => {
  it('takes the bundled model through a whole run, and gives what the report is made from', async () => {
    const folder = temporaryFolder();
    const profile = writeProfile(folder, 'tiny');
    const json = await runProgram(['run', profile, '--data-dir', join(folder, 'data'), '--json']);
    expect(json).toMatchObject({ code: 0 });
    const result = JSON.parse(json.stdout) as Record<string, unknown>;
    expect(result).toMatchObject({
      model: 'tiny',
      host: { agentVersion: expect.any(String), onnxRuntimeVersion: expect.any(String) },
      variants: [
        { variant: 'fp32', sizeBytes: expect.any(Number), bench: [{ scenario: 'single-stream' }] },
        {
          variant: 'int8',
          quantization: { reused: false, selfCheck: { sqnrDb: expect.any(Number) } },
          evaluation: { n: 50, verdict: expect.any(String) },
          bench: [{ latencySeconds: { p50: expect.any(Number) }, throughput: expect.any(Number) }],
          speedUps: [{ base: 'fp32', candidate: 'int8' }],
        },
      ],
      timeline: { snapshots: expect.any(Number) },
    });

    const report = renderRun(result as unknown as PipelineResult, {
      profile: profileOf(await loadProfile(profile)),
      dataDir: 'data',
      here: (file) => file,
    });
    expect(report).toMatch(/^variant +size +accuracy .*verdict$/m);
    expect(report).toMatch(/^int8 +\d+ KiB +\d+\.\d\d %/m);
    expect(report).toMatch(/^calibrate int8 +[\d.]+ m?s/m);
  }, 90_000);

  it('quantizes, evaluates, benchmarks and inspects by hand', async () => {
    const folder = temporaryFolder();
    const int8 = join(folder, 'made', 'int8.onnx');
    const quantize = ['quantize', DIGITS_MODEL, '-o', int8, '--calibration', DIGITS_DATA, '--samples', '32'];
    const made = await runProgram([...quantize, '--json']);
    expect(made).toMatchObject({ code: 0 });
    expect(JSON.parse(made.stdout)).toMatchObject({ output: int8, calibration: { samples: 32 } });
    expect(readdirSync(join(folder, 'made'))).toEqual(['int8.onnx']);

    const evaluated = await runProgram([
      'evaluate',
      DIGITS_MODEL,
      int8,
      '--data',
      DIGITS_DATA,
      '--samples',
      '100',
      '--json',
    ]);
    expect(evaluated).toMatchObject({ code: 0 });
    expect(JSON.parse(evaluated.stdout)).toMatchObject([{ variant: 'int8', n: 100 }]);

    const bench = ['bench', DIGITS_MODEL, int8, '--data', DIGITS_DATA, '--duration', '200ms', '--json'];
    const benched = await runProgram(bench);
    // On a busy host the measurement is not valid, which exit code 1 says.
    expect([0, 1]).toContain(benched.code);
    expect(JSON.parse(benched.stdout)).toMatchObject([
      { model: DIGITS_MODEL, speedUp: null },
      { model: int8, speedUp: { base: DIGITS_MODEL } },
    ]);

    const inspected = await runProgram(['inspect', int8, '--audit', '--json']);
    const { audit } = JSON.parse(inspected.stdout) as { audit: { int8Nodes: number } };
    expect(audit.int8Nodes).toBeGreaterThan(0);
  }, 90_000);

  const folder = '{folder}';
  it.each([
    ['a missing model', ['inspect', `${folder}/none.onnx`], 2, 'none.onnx'],
    ['a folder for a model', ['inspect', folder], 2, 'Expected a file'],
    ['an empty model', ['inspect', `${folder}/empty.onnx`], 2, 'The file is empty'],
    ['a model of random bytes', ['inspect', `${folder}/random.onnx`], 2, 'no ONNX model'],
    ['a model that was cut off', ['inspect', `${folder}/cut.onnx`], 2, 'cut off'],
    [
      'random bytes in a benchmark',
      ['bench', `${folder}/random.onnx`, '--data', DIGITS_DATA, '--duration', '100ms'],
      2,
      'ONNX Runtime cannot load the model',
    ],
    [
      'a missing model in a comparison',
      ['evaluate', `${folder}/none.onnx`, '--data', DIGITS_DATA],
      2,
      'the model cannot be opened (ENOENT)',
    ],
    [
      'a missing data file',
      ['evaluate', DIGITS_MODEL, '--data', `${folder}/none.npz`],
      2,
      'the data file cannot be opened',
    ],
    [
      'a model for data',
      ['quantize', DIGITS_MODEL, '-o', `${folder}/q.onnx`, '--calibration', DIGITS_MODEL],
      2,
      'not a readable .npz',
    ],
    [
      'a split that is not there',
      ['quantize', DIGITS_MODEL, '-o', `${folder}/q.onnx`, '--calibration', DIGITS_DATA, '--split', 'x'],
      2,
      "the splits are 'calib', 'eval'",
    ],
    [
      'the model as its own output',
      ['quantize', DIGITS_MODEL, '-o', DIGITS_MODEL, '--calibration', DIGITS_DATA],
      2,
      'choose another output',
    ],
    [
      'no samples',
      ['quantize', DIGITS_MODEL, '-o', 'q.onnx', '--calibration', DIGITS_DATA, '--samples', '0'],
      2,
      'at least 1',
    ],
    ['a slip in an option', ['bench', DIGITS_MODEL, '--dta', DIGITS_DATA], 2, 'Did you mean --data?'],
    ['a slip in a command', ['insepct', DIGITS_MODEL], 2, 'Did you mean inspect?'],
    ['a missing option', ['evaluate', DIGITS_MODEL], 2, "required option '--data <file>'"],
    ['a profile that is not there', ['run', `${folder}/none`], 2, '[profile-not-found]'],
    ['a slip in a profile', ['run', `${folder}/slip`], 2, 'did you mean "calibration"?'],
    [
      'a data directory that is a file',
      ['run', `${folder}/tiny`, '--data-dir', `${folder}/empty.onnx`],
      2,
      '[data-dir-not-writable]',
    ],
    ['a public address', ['serve', '--listen', '0.0.0.0:9477'], 2, '[public-listen-address]'],
  ] as const)('names what is wrong with %s', async (_what, args, code, words) => {
    const place = temporaryFolder();
    writeFileSync(join(place, 'empty.onnx'), '');
    writeFileSync(join(place, 'random.onnx'), randomBytes(5000));
    writeFileSync(join(place, 'cut.onnx'), readFileSync(DIGITS_MODEL).subarray(0, 900_000));
    writeProfile(place, 'tiny');
    mkdirSync(join(place, 'slip'));
    writeFileSync(join(place, 'slip/profile.yaml'), 'data: { calibraton: {} }\n');
    const before = readdirSync(place).sort();
    const finished = await runProgram(args.map((word) => word.replace(folder, place)));
    expect(finished.stderr).toContain(words);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).not.toMatch(/^ +at |node:internal|UnhandledPromise/m);
    expect(readdirSync(place).sort()).toEqual(before);
  });

  it('lets whoever reads its output go early', async () => {
    const program = startProgram(['inspect', DIGITS_MODEL, '--json']);
    program.child.stdout?.destroy();
    expect(await program.finished).toMatchObject({ code: 0, stderr: '' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves nothing behind when %s ends a calibration',
    async (signal) => {
      const place = temporaryFolder();
      const output = join(place, 'int8.onnx');
      const args = ['quantize', DIGITS_MODEL, '-o', output, '--calibration', DIGITS_DATA];
      const program = startProgram([...args, '--method', 'entropy']);
      await until(() => (program.stderr().includes('calibrate: 1 of') ? true : undefined));
      const children = childrenOf(program.pid);
      program.signalGroup(signal);
      const finished = await program.finished;
      expect(finished).toMatchObject({ code: 130, stdout: '' });
      expect(finished.stderr).toContain('the job was cancelled');
      expect(children.filter(isRunning)).toEqual([]);
      expect(existsSync(output)).toBe(false);
      expect(readdirSync(place)).toEqual([]);
    },
  );

  it('ends a benchmark on Ctrl-C with its processes', async () => {
    const program = startProgram(['bench', DIGITS_MODEL, '--data', DIGITS_DATA, '--duration', '60s']);
    await until(() => (program.stderr().includes('bench single-stream') ? true : undefined));
    const children = childrenOf(program.pid);
    program.signalGroup('SIGINT');
    const finished = await program.finished;
    expect(finished).toMatchObject({ code: 130 });
    expect(finished.stderr).toContain('cancelled');
    expect(children.filter(isRunning)).toEqual([]);
  });
});

function profileOf(loaded: Awaited<ReturnType<typeof loadProfile>>) {
  if (!loaded.ok) throw new Error(loaded.error[0]?.message);
  return loaded.value;
}
