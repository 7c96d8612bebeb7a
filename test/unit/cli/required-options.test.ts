import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { requireOptions } from '../../../src/cli/required-options.ts';

async function parse(...words: readonly string[]) {
  const written: string[] = [];
  let ran = false;
  const command = new Command('bench')
    .argument('<model>')
    .option('-d, --data <file>', 'required: data')
    .option('--split <name>', 'a split')
    .exitOverride()
    .configureOutput({ writeErr: (text) => void written.push(text) })
    .action(() => {
      ran = true;
    });
  requireOptions(command, ['--data']);
  try {
    await command.parseAsync(words, { from: 'user' });
  } catch (error) {
    expect(error).toBeInstanceOf(CommanderError);
  }
  return { written: written.join(''), ran };
}

describe('requireOptions', () => {
  it('lets a command run that has them', async () => {
    expect(await parse('model.onnx', '--data', 'x.npz')).toEqual({ written: '', ran: true });
    expect(await parse('model.onnx', '-d', 'x.npz')).toEqual({ written: '', ran: true });
  });

  it('names the one that is missing', async () => {
    const { written, ran } = await parse('model.onnx', '--split', 'eval');
    expect(written).toContain("error: required option '-d, --data <file>' not specified");
    expect(ran).toBe(false);
  });

  it('takes a slip in its name for a slip', async () => {
    const { written } = await parse('model.onnx', '--dta', 'x.npz');
    expect(written).toContain("error: unknown option '--dta'");
    expect(written).toContain('Did you mean --data?');
  });

  it('names a missing model first', async () => {
    expect((await parse()).written).toContain("missing required argument 'model'");
  });
});
