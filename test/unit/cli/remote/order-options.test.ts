import { type Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { benchCommand } from '../../../../src/cli/commands/bench.ts';
import { evaluateCommand } from '../../../../src/cli/commands/evaluate.ts';
import { explainCommand } from '../../../../src/cli/commands/explain.ts';
import { quantizeCommand } from '../../../../src/cli/commands/quantize.ts';
import { runCommand } from '../../../../src/cli/commands/run.ts';
import { type OrderKind, orderOf, withoutAgent } from '../../../../src/cli/remote/order-options.ts';
import { capturedTerminal } from '../../../support/captured-terminal.ts';

const COMMANDS = {
  run: runCommand,
  bench: benchCommand,
  quantize: quantizeCommand,
  evaluate: evaluateCommand,
  explain: explainCommand,
};
const AGENT = ['--agent', 'http://127.0.0.1:9477'];

/** The command after its options were read, without its action. */
async function parsed(kind: OrderKind, ...words: readonly string[]): Promise<Command> {
  const command = COMMANDS[kind](capturedTerminal().terminal, () => {});
  command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action(() => {});
  await command.parseAsync(words, { from: 'user' });
  return command;
}

const messagesOf = async (kind: OrderKind, ...words: readonly string[]) => {
  const order = orderOf(await parsed(kind, ...words, ...AGENT), kind);
  return order.ok ? [] : order.error.map(({ message }) => message);
};

describe('orderOf', () => {
  it.each<[OrderKind, string, object]>([
    ['run', 'tiny', { model: 'tiny' }],
    ['run', 'tiny --trace --sampling 5hz', { model: 'tiny', trace: { queries: 50 }, sampling: '5hz' }],
    ['quantize', 'tiny --variants int8,int4', { model: 'tiny', variants: ['int8', 'int4'] }],
    [
      'evaluate',
      'tiny --samples 7 --threads 2 --priority high --deadline 2h --sampling off',
      { model: 'tiny', samples: 7, threads: 2, priority: 'high', deadlineSeconds: 7200, sampling: 'off' },
    ],
    [
      'bench',
      'tiny --suite nightly --threads 0 --trace --trace-queries 9',
      { model: 'tiny', suite: 'nightly', threads: 0, trace: { queries: 9 } },
    ],
    [
      'bench',
      'tiny --scenario server --duration 500ms --variants int8',
      { model: 'tiny', scenario: 'server', durationSeconds: 0.5, variants: ['int8'] },
    ],
    ['explain', 'tiny', { model: 'tiny' }],
    [
      'explain',
      'tiny --variants int8 --samples 8 --top 3 --time-limit 90s',
      { model: 'tiny', variants: ['int8'], samples: 8, top: 3, timeLimitSeconds: 90 },
    ],
  ])('has %s order what its options say: %s', async (kind, words, order) => {
    const ordered = orderOf(await parsed(kind, ...words.split(' '), ...AGENT), kind);
    expect(ordered).toEqual({ ok: true, value: order });
  });

  it.each<[OrderKind, string, RegExp]>([
    ['run', 'tiny --data-dir d', /^--data-dir cannot be ordered of a daemon/],
    ['run', 'tiny --trace --logdir d', /^--logdir cannot be ordered/],
    ['bench', 'tiny --data random -o x.json --rounds 3', /^--data, --rounds, --output cannot be ordered/],
    ['quantize', 'tiny -o x.onnx', /^--output cannot/],
    ['quantize', 'tiny --recipe float16 --threads 1', /^--recipe, --threads cannot/],
    ['evaluate', 'tiny --data x.npz', /^--data cannot/],
    ['evaluate', 'tiny other', /one model is named, and here are 2/],
    ['bench', 'tiny --suite a --suite b', /takes one --suite/],
    ['bench', 'tiny --scenario replay', /a replay needs a trace/],
    ['explain', 'tiny --split calib --html x.html', /^--split, --html cannot/],
    ['explain', 'tiny int8', /one model is named, and here are 2/],
    ['run', 'tiny --trace-queries 9', /--trace-queries is about a trace/],
  ])('refuses of %s what an order cannot say: %s', async (kind, words, message) => {
    expect(await messagesOf(kind, ...words.split(' '))).toEqual([expect.stringMatching(message)]);
  });

  it('says what an order takes instead', async () => {
    const order = orderOf(await parsed('quantize', 'tiny', '-o', 'x', ...AGENT), 'quantize');
    const hint =
      'leave out what is not among these: --trace, --trace-queries, --priority, --deadline, --variants, --sampling';
    expect(order).toMatchObject({ ok: false, error: [{ kind: 'bad-usage', hint }] });
  });
});

describe('withoutAgent', () => {
  it.each<[OrderKind, string, readonly string[]]>([
    ['quantize', 'm.onnx -o x.onnx', []],
    ['run', 'tiny --sampling off', []],
    ['bench', 'm.onnx --sampling off --threads 2', []],
    ['run', 'tiny --detach --token-file f', ['--token-file', '--detach']],
    [
      'quantize',
      'm.onnx -o x --variants a --priority low --deadline 1h --sampling off',
      ['--priority', '--deadline', '--variants', '--sampling'],
    ],
  ])('finds of %s what means nothing here: %s', async (kind, words, options) => {
    const problems = withoutAgent(await parsed(kind, ...words.split(' ')), kind);
    expect(problems.map(({ message }) => message)).toEqual(
      options.map((option) => `${option} is for what a daemon does`),
    );
  });

  it('leaves compulsory what is compulsory here', async () => {
    await expect(parsed('quantize', 'm.onnx')).rejects.toThrow(CommanderError);
    await expect(parsed('evaluate', 'm.onnx')).rejects.toThrow("required option '--data <path>'");
    await expect(parsed('evaluate', 'm.onnx', '--agent', 'nonsense')).rejects.toThrow('expected a URL');
  });
});
