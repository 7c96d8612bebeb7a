import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../support/daemon.ts';
import {
  childrenOf,
  DIGITS_DATA,
  DIGITS_MODEL,
  isBuilt,
  isRunning,
  runProgram,
  startProgram,
} from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Stands for the test's own folder in the tables below. */
const FOLDER = '<folder>';

describe.skipIf(!isBuilt)('cold-start and soak (skipped where `npm run build` was not run)', () => {
  it('starts models again and again, and says how long each part took', async () => {
    const start = ['cold-start', DIGITS_MODEL, DIGITS_MODEL, '--data', DIGITS_DATA, '--repetitions', '2'];
    const started = await runProgram([...start, '--max-run', '1s', '--json']);
    expect(started).toMatchObject({ code: 0 });
    const results = JSON.parse(started.stdout) as { repetitions: Record<string, number>[] }[];
    expect(results).toMatchObject([
      {
        model: DIGITS_MODEL,
        ratios: null,
        figures: { modelSeconds: { first: expect.any(Number), lower: null } },
      },
      { model: DIGITS_MODEL, ratios: expect.any(Array) },
    ]);
    for (const { repetitions } of results) {
      expect(repetitions).toHaveLength(2);
      for (const {
        processSeconds = 0,
        runtimeSeconds = 0,
        modelSeconds = 0,
        firstAnswerSeconds = 0,
      } of repetitions)
        expect(firstAnswerSeconds).toBeGreaterThan(processSeconds + runtimeSeconds + modelSeconds);
    }
  }, 180_000);

  it('soaks a model in windows and says what it found, also of one that Ctrl-C ended', async () => {
    const soak = ['soak', DIGITS_MODEL, '--data', DIGITS_DATA, '--window', '100ms'];
    const soaked = await runProgram([...soak, '--duration', '1200ms', '--json']);
    // On a busy host it may look as if something crept.
    expect([0, 1]).toContain(soaked.code);
    const [result] = JSON.parse(soaked.stdout) as { windows: unknown[] }[];
    expect(result).toMatchObject({ model: DIGITS_MODEL, failure: null, creep: [{}, {}, { windows: 11 }] });
    expect(result?.windows).toHaveLength(12);
    expect(result?.windows[1]).toMatchObject({
      p50Seconds: expect.any(Number),
      rssBytes: expect.any(Number),
    });

    const program = startProgram([...soak, '--duration', '10m']);
    await until(() => (program.stderr().includes('bench soak digits.onnx: ') ? true : undefined));
    const children = childrenOf(program.pid);
    await until(() => (/: [1-9]\d* of 6000 windows, .* left/.test(program.stderr()) ? true : undefined));
    program.signalGroup('SIGINT');
    const finished = await program.finished;
    expect(finished).toMatchObject({ code: 130 });
    expect(finished.stdout).toMatch(/closed-loop for .*, \d+ of 6000 windows/);
    expect(finished.stdout).toContain('median latency');
    expect(finished.stderr).toContain('cancelled');
    expect(children.filter(isRunning)).toEqual([]);
  }, 180_000);

  it.each([
    [
      'random bytes in a cold start',
      ['cold-start', `${FOLDER}/random.onnx`, '--data', DIGITS_DATA],
      2,
      'ONNX Runtime cannot load the model',
    ],
    [
      'no start at all',
      ['cold-start', DIGITS_MODEL, '--data', DIGITS_DATA, '--repetitions', '0'],
      2,
      'at least 1',
    ],
    [
      'a missing model in a soak',
      ['soak', `${FOLDER}/none.onnx`, '--data', DIGITS_DATA, '--duration', '10m'],
      2,
      'the model cannot be opened (ENOENT)',
    ],
    [
      'a soak without an end',
      ['soak', DIGITS_MODEL, '--data', DIGITS_DATA],
      2,
      "required option '--duration <time>'",
    ],
    [
      'a soak too short for its windows',
      ['soak', DIGITS_MODEL, '--data', DIGITS_DATA, '--duration', '1m'],
      2,
      'at least 360s with --duration',
    ],
    [
      'a rate for a closed loop',
      ['soak', DIGITS_MODEL, '--data', DIGITS_DATA, '--duration', '10m', '--rate', '9'],
      2,
      'Expected ratePerSecond to be left out in closed-loop',
    ],
  ] as const)('name what is wrong with %s', async (_what, args, code, words) => {
    const place = temporaryFolder();
    writeFileSync(join(place, 'random.onnx'), randomBytes(5000));
    const finished = await runProgram(args.map((word) => word.replace(FOLDER, place)));
    expect(finished.stderr).toContain(words);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).not.toMatch(/^ +at |node:internal|UnhandledPromise/m);
  });
});
