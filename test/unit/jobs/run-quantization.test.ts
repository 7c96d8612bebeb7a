import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { QuantizeTask } from '../../../src/jobs/quantize-task.ts';
import { runQuantization } from '../../../src/jobs/run-quantization.ts';
import { STATIC_INT8 } from '../../../src/quantization/recipe.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function taskIn(folder: string, more: Partial<QuantizeTask> = {}): QuantizeTask {
  return {
    kind: 'quantize',
    modelPath: join(folder, 'good.onnx'),
    outputPath: join(folder, 'out', 'int8.onnx'),
    data: { spec: { path: join(folder, 'data.npz') }, split: 'calib' },
    recipe: STATIC_INT8,
    threads: 1,
    ...more,
  };
}

describe('runQuantization', () => {
  it('makes the folder of the output and leaves nothing but the model there', async () => {
    const folder = temporaryFolder();
    const task = taskIn(folder);
    const report = await runQuantization(fakeWorker(), task);
    expect(report).toMatchObject({ ok: true, value: { output: task.outputPath } });
    expect(readdirSync(join(folder, 'out'))).toEqual(['int8.onnx']);
    expect(readFileSync(task.outputPath, 'utf8')).toBe('quantized');
  });

  it('replaces an earlier output', async () => {
    const folder = temporaryFolder();
    const outputPath = join(folder, 'int8.onnx');
    writeFileSync(outputPath, 'old');
    await runQuantization(fakeWorker(), taskIn(folder, { outputPath }));
    expect(readFileSync(outputPath, 'utf8')).toBe('quantized');
  });

  it.each(['crash.onnx', 'killed.onnx', 'refuse.onnx'])(
    'leaves nothing behind when %s fails',
    async (name) => {
      const folder = temporaryFolder();
      const report = await runQuantization(fakeWorker(), taskIn(folder, { modelPath: name }));
      expect(report.ok).toBe(false);
      expect(readdirSync(join(folder, 'out'))).toEqual([]);
    },
  );

  it('leaves nothing behind, and an earlier output as it was, when it is cancelled', async () => {
    const folder = temporaryFolder();
    const outputPath = join(folder, 'int8.onnx');
    writeFileSync(outputPath, 'old');
    const abort = new AbortController();
    const report = await runQuantization(
      fakeWorker(),
      taskIn(folder, { outputPath, modelPath: 'wait.onnx' }),
      {
        signal: abort.signal,
        onEvent: () => abort.abort(),
      },
    );
    expect(report).toMatchObject({ ok: false, error: { kind: 'cancelled' } });
    expect(readdirSync(folder)).toEqual(['int8.onnx']);
    expect(readFileSync(outputPath, 'utf8')).toBe('old');
  });

  it('refuses a folder as output', async () => {
    const folder = temporaryFolder();
    const report = await runQuantization(fakeWorker(), taskIn(folder, { outputPath: folder }));
    expect(report).toMatchObject({
      ok: false,
      error: { kind: 'output-not-writable', place: { file: folder }, hint: 'name the file to write' },
    });
  });

  it('refuses to overwrite the model or its data, also through another name', async () => {
    const folder = temporaryFolder();
    const worker = fakeWorker();
    for (const name of ['good.onnx', 'data.npz']) {
      writeFileSync(join(folder, name), 'precious');
      linkSync(join(folder, name), join(folder, `other-${name}`));
      for (const output of [name, `other-${name}`]) {
        const report = await runQuantization(worker, taskIn(folder, { outputPath: join(folder, output) }));
        expect(report).toMatchObject({ ok: false, error: { kind: 'output-not-writable' } });
        expect(readFileSync(join(folder, name), 'utf8')).toBe('precious');
      }
    }
    expect(worker.requests()).toEqual([]);
  });

  it('refuses to save ranges over the model, its data or the output', async () => {
    const folder = temporaryFolder();
    const worker = fakeWorker();
    for (const name of ['good.onnx', 'data.npz']) writeFileSync(join(folder, name), 'precious');
    for (const name of ['good.onnx', 'data.npz', 'out/int8.onnx']) {
      const report = await runQuantization(worker, taskIn(folder, { saveRangesPath: join(folder, name) }));
      expect(report).toMatchObject({
        ok: false,
        error: { kind: 'output-not-writable', place: { file: join(folder, name) } },
      });
    }
    expect(worker.requests()).toEqual([]);
  });

  it('names the output where its folder cannot be made', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const outputPath = join(folder, 'file', 'int8.onnx');
    const report = await runQuantization(fakeWorker(), taskIn(folder, { outputPath }));
    expect(report).toMatchObject({
      ok: false,
      error: { kind: 'output-not-writable', place: { file: outputPath } },
    });
  });

  it('moves external data along', async () => {
    const folder = temporaryFolder();
    // The fake writes one file; this one lies where the worker would have written the data of a large model.
    const outputPath = join(folder, 'big.onnx');
    const host = {
      ...fakeWorker(),
      onExit: () => {
        const scratch = readdirSync(folder).find((name) => name.startsWith('.ptq-agent-')) ?? '';
        writeFileSync(join(folder, scratch, 'big.onnx.data'), 'weights');
        mkdirSync(join(folder, scratch, 'unrelated'));
      },
    };
    expect(await runQuantization(host, taskIn(folder, { outputPath }))).toMatchObject({ ok: true });
    expect(readdirSync(folder).sort()).toEqual(['big.onnx', 'big.onnx.data']);
  });

  it('publishes no link, which whoever opens it would follow', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'secret'), 'nobody is to see this');
    const outputPath = join(folder, 'big.onnx');
    const host = {
      ...fakeWorker(),
      onExit: () => {
        const scratch = readdirSync(folder).find((name) => name.startsWith('.ptq-agent-')) ?? '';
        symlinkSync(join(folder, 'secret'), join(folder, scratch, 'big.onnx.data'));
      },
    };
    expect(await runQuantization(host, taskIn(folder, { outputPath }))).toMatchObject({
      ok: false,
      error: { kind: 'output-not-writable', message: expect.stringContaining('big.onnx.data') },
    });
    expect(readdirSync(folder)).toEqual(['secret']);
  });
});
