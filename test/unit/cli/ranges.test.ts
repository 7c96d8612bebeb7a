import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  addRangesOptions,
  chooseRangesTask,
  type RangesOptions,
  refuseIdleRangesOptions,
} from '../../../src/cli/ranges-option.ts';
import { renderRanges } from '../../../src/cli/ranges-report.ts';
import { formatRanges, type SavedRanges } from '../../../src/jobs/saved-ranges.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SAVED: SavedRanges = {
  format: 'ptq-agent ranges',
  version: 1,
  model: { file: 'm.onnx', sha256: 'a'.repeat(64) },
  data: { file: 'd.npz', sha256: 'b'.repeat(64), split: 'calib', samples: 100 },
  calibration: { method: 'percentile', percentile: 99.9 },
  versions: { 'ptq-agent': '0.1.0', onnxruntime: '1.30.0' },
  tensors: {
    'b/conv': { min: -1, max: 2, observed: { min: -2, max: 6 } },
    a: { min: 0, max: 0.1 },
  },
};

function savedFile(): string {
  const file = join(temporaryFolder(), 'ranges.json');
  writeFileSync(file, formatRanges(SAVED));
  return file;
}

function parse(...args: string[]): RangesOptions {
  const command = addRangesOptions(new Command())
    .option('--method <name>')
    .option('--percentile <n>')
    .option('--samples <n>')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action(() => refuseIdleRangesOptions(command));
  command.parse(args, { from: 'user' });
  return command.opts<RangesOptions>();
}

describe('the options about saved ranges', () => {
  it('bring the ranges, and the settings that they were found with', async () => {
    const file = savedFile();
    const choice = await chooseRangesTask(parse('--ranges', file, '--ranges-any-model'), {
      format: 'static-int8',
      calibration: { method: 'mse' },
    });
    expect(choice).toEqual({
      ok: true,
      value: {
        request: { format: 'static-int8', calibration: SAVED.calibration },
        task: { ranges: { file, saved: SAVED, anyModel: true } },
      },
    });
  });

  it('name the file to save in', async () => {
    const request = { format: 'static-int16' } as const;
    const choice = await chooseRangesTask(parse('--save-ranges', 'r.json'), request);
    expect(choice).toEqual({ ok: true, value: { request, task: { saveRangesPath: 'r.json' } } });
    expect(await chooseRangesTask(parse(), { format: 'float16' })).toMatchObject({ value: { task: {} } });
  });

  it('are for static recipes alone', async () => {
    for (const option of ['--ranges', '--save-ranges']) {
      expect(await chooseRangesTask(parse(option, 'r.json'), { format: 'float16' })).toMatchObject({
        ok: false,
        error: [{ kind: 'not-a-static-recipe', message: expect.stringContaining(option) }],
      });
    }
  });

  it('pass on what is wrong with the file', async () => {
    const choice = await chooseRangesTask(parse('--ranges', '/nowhere.json'), { format: 'static-int8' });
    expect(choice).toMatchObject({ ok: false, error: [{ kind: 'ranges-not-found' }] });
  });

  it('contradict those that say how to calibrate', () => {
    for (const idle of ['--method', '--percentile', '--samples', '--save-ranges']) {
      expect(() => parse('--ranges', 'r.json', idle, '9')).toThrow(`${idle} is of no use with --ranges`);
    }
    expect(() => parse('--ranges-any-model')).toThrow('needs --ranges');
    expect(() => parse('--method', 'mse', '--save-ranges', 'r.json')).not.toThrow();
  });
});

describe('formatRanges', () => {
  it('writes the tensors in the order of their names, whatever order they came in', () => {
    const { tensors, ...head } = SAVED;
    const reversed = { ...head, tensors: Object.fromEntries(Object.entries(tensors).reverse()) };
    expect(formatRanges(reversed)).toBe(formatRanges(SAVED));
    expect(JSON.parse(formatRanges(SAVED))).toEqual(SAVED);
    expect(formatRanges(SAVED)).toContain('\n    "a": { "min": 0, "max": 0.1 },\n    "b/conv"');
  });

  it('keeps every bit of the numbers', () => {
    const exact = { min: -0.1 - 0.2, max: 5e-324 };
    const text = formatRanges({ ...SAVED, tensors: { a: exact } });
    expect((JSON.parse(text) as SavedRanges).tensors['a']).toEqual(exact);
  });
});

describe('renderRanges', () => {
  it('shows what was kept of what was seen', () => {
    const lines = renderRanges('r.json', SAVED).split('\n');
    expect(lines[0]).toBe('r.json: ranges of 2 tensors');
    expect(lines).toContain('  calibration  percentile, percentile 99.9');
    expect(lines.find((line) => line.startsWith('b/conv'))).toMatch(/ -1 +2 +-2 +6 +37\.5 %$/);
    expect(lines.find((line) => line.startsWith('a '))).toMatch(/ 0 +0\.1 +– +– +–$/);
  });
});
