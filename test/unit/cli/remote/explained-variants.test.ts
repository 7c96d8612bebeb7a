import { describe, expect, it } from 'vitest';
import { printExplanations } from '../../../../src/cli/remote/explained-variants.ts';
import type { Client, Run } from '../../../../src/client/client.ts';
import { capturedTerminal } from '../../../support/captured-terminal.ts';
import { ID } from '../../../support/server.ts';

type Answer = Awaited<ReturnType<Client['getSensitivity']>>;

const explained = {
  ...{ kind: 'quantized', reference: 'fp32.onnx', candidate: 'int8.onnx', split: 'eval', samples: 8 },
  ...{ task: 'classification', whole: { sqnrDb: 18.5 }, simulated: { sqnrDb: 18.4 } },
  ...{ nodes: [], tensors: [], depth: [], unpaired: [], measured: { alone: 0, of: 0 } },
  ...{ notes: [], seconds: 2, peakRssBytes: 1 },
} as const;

const runWith = (result: unknown) => ({ id: ID, model: 'tiny', result }) as Run;

async function print(result: unknown, answer: Answer = { ok: true, value: explained as never }) {
  const asked: string[] = [];
  const captured = capturedTerminal();
  const client = {
    getSensitivity: async (model: string, variant: string) => {
      asked.push(`${model}/${variant}`);
      return answer;
    },
  };
  const code = await printExplanations(runWith(result), client, captured.terminal);
  return { code, asked, stdout: captured.out(), stderr: captured.err() };
}

describe('what a daemon explained', () => {
  it('is printed of each variant that it explained, under its name', async () => {
    const variants = [{ variant: 'fp32' }, { variant: 'int8', sensitivity: {} }, { variant: 'fp16' }];
    const { code, asked, stdout } = await print({ variants });
    expect(code).toBe(0);
    expect(asked).toEqual(['tiny/int8']);
    expect(stdout).toMatch(/^\nint8\nint8\.onnx against fp32\.onnx, 8 samples of 'eval'/);
  });

  it('is nothing of a run that left no result', async () => {
    expect(await print(undefined)).toMatchObject({ code: 0, asked: [], stdout: '' });
    expect(await print({})).toMatchObject({ code: 0, asked: [], stdout: '' });
  });

  it('is an error where it is gone by then', async () => {
    const error = { kind: 'unknown-result', message: 'there is none', status: 404 };
    const answer: Answer = { ok: false, error };
    const { code, stdout, stderr } = await print(
      { variants: [{ variant: 'int8', sensitivity: {} }] },
      answer,
    );
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('there is none');
  });
});
