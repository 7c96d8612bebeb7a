import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderRun } from '../../src/cli/run-report.ts';
import { loadProfile } from '../../src/config/load-profiles.ts';
import type { NamedTensors } from '../../src/core/tensor.ts';
import { openSamples } from '../../src/data/open-samples.ts';
import type { DoctorReport } from '../../src/jobs/doctor.ts';
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
import { onlyFile, rewrite } from '../support/small-evaluation.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';
import { writePng } from '../unit/data/image/png-writer.ts';

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

    const dataDir = ['--data-dir', join(folder, 'data')];
    const summary = await runProgram(['timeline', 'latest', ...dataDir]);
    expect(summary).toMatchObject({ code: 0, stdout: expect.stringMatching(/^calibrate int8 +[\d.]+ m?s/m) });
    const listed = await runProgram(['timeline', ...dataDir, '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ model: 'tiny', complete: true }]);
    const csv = await runProgram([
      'timeline',
      'latest',
      ...dataDir,
      '--csv',
      '--columns',
      'memory.availableBytes',
    ]);
    expect(csv.stdout).toMatch(
      /^time,seconds,source,memory.availableBytes\r\n2\d\d\d-[^,]+Z,[\d.]+,host,\d+\r\n/,
    );
    expect(await runProgram(['timeline', 'latest', ...dataDir, '--columns', 'cpu'])).toMatchObject({
      code: 2,
    });
    expect(await runProgram(['timeline', 'nope', ...dataDir])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[unknown-run]'),
    });
  }, 90_000);

  it('says what the host has, and which devices really compute', async () => {
    const json = await runProgram(['doctor', '--json']);
    expect(json).toMatchObject({ code: 0, stderr: '' });
    const report = JSON.parse(json.stdout) as DoctorReport;
    expect(report).toMatchObject({ usable: true, host: { nodeVersion: process.version } });
    expect(report.devices.map(({ device }) => device)).toEqual(['cpu', 'webgpu', 'cuda', 'tensorrt']);
    expect(report.devices[0]).toMatchObject({ state: 'works', firstRunSeconds: expect.any(Number) });
    for (const { device, state } of report.devices) {
      if (state !== 'works') expect(report.findings.map(({ subject }) => subject)).toContain(device);
    }
    const text = await runProgram(['doctor']);
    expect(text).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cpu +works +[\d.]+ m?s/m) });
  });

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

    const page = join(folder, 'why.html');
    const explain = ['explain', DIGITS_MODEL, int8, '--data', DIGITS_DATA, '--samples', '2', '--top', '2'];
    const explained = await runProgram([...explain, '--html', page, '--json']);
    expect(explained).toMatchObject({ code: 0 });
    expect(JSON.parse(explained.stdout)).toMatchObject({
      task: 'classification',
      unpaired: [],
      measured: { alone: 2, stopped: 'top' },
      nodes: expect.arrayContaining([
        expect.objectContaining({ alone: expect.any(Object), reason: expect.any(String) }),
      ]),
    });
    expect(readFileSync(page, 'utf8')).toContain('Which nodes cost most');

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

  it('evaluates a folder of pictures with labels in a CSV as it does the same samples in an .npz', async () => {
    const folder = temporaryFolder();
    const count = await writeDigitPictures(folder);
    writeFileSync(
      join(folder, 'data.yaml'),
      'path: pictures\nlabels: { file: labels.csv }\npreprocess: { channels: gray, scale: 1/16 }\n',
    );
    const evaluate = async (data: string) => {
      const finished = await runProgram(['evaluate', DIGITS_MODEL, '--data', data, '--json']);
      expect(finished).toMatchObject({ code: 0 });
      const [evaluation] = JSON.parse(finished.stdout) as readonly Record<string, unknown>[];
      return evaluation;
    };
    const ofPictures = await evaluate(join(folder, 'data.yaml'));
    expect(ofPictures).toMatchObject({ n: count, top1: expect.any(Number), identical: true });
    const { figures, top1, n, verdict } = (await evaluate(DIGITS_DATA)) ?? {};
    expect(ofPictures).toMatchObject({ figures, top1, n, verdict });
    expect(top1).toBeGreaterThan(0.9);
  });

  it('benchmarks on data that is made up, says so, and does not evaluate on it', async () => {
    const bench = ['bench', DIGITS_MODEL, '--data', 'random', '--duration', '100ms', '--json'];
    const benched = await runProgram(bench);
    expect([0, 1]).toContain(benched.code);
    expect(JSON.parse(benched.stdout)).toMatchObject([{ model: DIGITS_MODEL, madeUpInputs: true }]);
    const refused = await runProgram(['evaluate', DIGITS_MODEL, '--data', 'random', '--json']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('[data-made-up]');
  });

  it('keeps outputs, uses them again, and fails where a model no longer gives them', async () => {
    const folder = temporaryFolder();
    const [cache, golden, changed] = ['cache', 'golden', 'changed'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const evaluate = () =>
      runProgram([
        ...['evaluate', DIGITS_MODEL, '--data', DIGITS_DATA, '--samples', '60'],
        ...['--cache', cache, '--golden', golden, '--changed', changed],
      ]);
    const first = await evaluate();
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain('digits: its outputs are recorded');
    expect(readFileSync(join(changed, 'digits.jsonl'), 'utf8')).toBe('');
    const second = await evaluate();
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toContain('outputs of an earlier evaluation');
    expect(second.stdout).toContain('digits: gives the same outputs on 60 samples');

    await rewrite(onlyFile(golden), (samples) =>
      samples.map(({ index, outputs }) => ({ index, outputs: negated(outputs) })),
    );
    const third = await evaluate();
    expect(third).toMatchObject({ code: 1 });
    expect(third.stdout).toMatch(
      /digits: \d+ of 60 answers changed since 1970-01-01 \(ONNX Runtime 1\.0\.0\)/,
    );
  });

  it('gives models of one name names of their own', async () => {
    const folder = temporaryFolder();
    const twin = join(folder, 'digits.onnx');
    writeFileSync(twin, readFileSync(DIGITS_MODEL));
    const args = ['evaluate', DIGITS_MODEL, DIGITS_MODEL, twin, '--data', DIGITS_DATA, '--samples', '10'];
    const finished = await runProgram([...args, '--changed', join(folder, 'changed'), '--json']);
    expect(JSON.parse(finished.stdout)).toMatchObject([
      { variant: 'digits', model: DIGITS_MODEL },
      { variant: 'digits-2', model: twin },
    ]);
    expect(readdirSync(join(folder, 'changed')).sort()).toEqual(['digits-2.jsonl', 'digits.jsonl']);
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

/** Writes `pictures/0000.png` and so on with the digits of the split `eval`, 0 to 16, and `labels.csv`; gives their number. */
async function writeDigitPictures(folder: string): Promise<number> {
  mkdirSync(join(folder, 'pictures'));
  const source = unwrap(
    await openSamples(
      { path: DIGITS_DATA },
      {
        split: 'eval',
        modelInputs: [{ name: 'image', type: 'float32', dims: ['N', 1, 8, 8] }],
        withTruth: true,
      },
    ),
  );
  const rows = ['file,label'];
  for await (const { index, feeds, truth } of source.samples()) {
    const name = `${String(index).padStart(4, '0')}.png`;
    const pixels = Uint8Array.from(feeds['image']?.data as Float32Array, (value) => value * 16);
    // Every line begins with its filter, 0.
    const lines = Buffer.concat(
      Array.from({ length: 8 }, (_, y) => Uint8Array.from([0, ...pixels.subarray(8 * y, 8 * y + 8)])),
    );
    writeFileSync(join(folder, 'pictures', name), writePng({ width: 8, height: 8, lines }));
    rows.push(`${name},${truth?.kind === 'class' ? truth.index : ''}`);
  }
  await source.close();
  writeFileSync(join(folder, 'labels.csv'), `${rows.join('\n')}\n`);
  return rows.length - 1;
}

/** As if the model had once said the opposite. */
function negated(outputs: NamedTensors): NamedTensors {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [
      name,
      { ...tensor, data: (tensor.data as Float32Array).map((value) => -value) },
    ]),
  );
}
