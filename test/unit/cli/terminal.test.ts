import { describe, expect, it, vi } from 'vitest';
import { EXIT, exitCodeOf } from '../../../src/cli/exit-code.ts';
import { printProblems, printResult } from '../../../src/cli/terminal.ts';
import { isFailedVerdict } from '../../../src/cli/verdict-exit.ts';
import { problem } from '../../../src/core/problem.ts';
import { capturedTerminal } from '../../support/captured-terminal.ts';

const notFound = problem('not-found', 'No such file.', {
  place: { file: 'model.onnx' },
  hint: 'Check the path.',
});

describe('printProblems', () => {
  it('says what, where and what to do on stderr, and nothing on stdout', () => {
    const { terminal, out, err } = capturedTerminal();
    expect(printProblems(terminal, [notFound])).toBe(EXIT.badInput);
    expect(err()).toBe(
      'error: No such file. [not-found]\n  file: model.onnx\n  what to do: Check the path.\n',
    );
    expect(out()).toBe('');
  });

  it('prints every problem and lets the first decide the exit code', () => {
    const { terminal, err } = capturedTerminal();
    expect(printProblems(terminal, [problem('worker-killed', 'gone'), notFound])).toBe(EXIT.fault);
    expect(err().match(/error:/g)).toHaveLength(2);
  });

  it('colours on a terminal only, and not where NO_COLOR is set', () => {
    vi.stubEnv('NO_COLOR', undefined);
    const coloured = capturedTerminal({ isTTY: true });
    printProblems(coloured.terminal, [notFound]);
    expect(coloured.err().startsWith('\u001b[31merror:\u001b[39m No such file.')).toBe(true);
    vi.stubEnv('NO_COLOR', '1');
    const plain = capturedTerminal({ isTTY: true });
    printProblems(plain.terminal, [notFound]);
    expect(plain.err().startsWith('error: No such file.')).toBe(true);
    vi.unstubAllEnvs();
  });
});

describe('printResult', () => {
  it('prints JSON alone with --json, also for what JSON has no numbers for', () => {
    const { terminal, out, err } = capturedTerminal();
    printResult(terminal, { startNs: 12n, ratio: Number.NaN }, true, () => 'a table');
    expect(JSON.parse(out())).toEqual({ startNs: '12', ratio: null });
    expect(err()).toBe('');
  });

  it('prints what a person reads otherwise', () => {
    const { terminal, out } = capturedTerminal();
    printResult(terminal, { n: 1 }, false, ({ n }) => `${n} model`);
    expect(out()).toBe('1 model\n');
  });
});

describe('the exit code', () => {
  it.each([
    ['cancelled', 130],
    ['bench-cancelled', 130],
    ['worker-killed', 3],
    ['worker-crashed', 3],
    ['internal-fault', 3],
    ['not-found', 2],
    ['data-dir-in-use', 2],
  ])('of %s is %i', (kind, code) => {
    expect(exitCodeOf(problem(kind, ''))).toBe(code);
  });

  it('is a failure for a model that is worse or unusable, not for one that too few samples judge', () => {
    expect((['regressed', 'invalid'] as const).every(isFailedVerdict)).toBe(true);
    expect((['non_inferior', 'degraded_within_budget', 'inconclusive'] as const).some(isFailedVerdict)).toBe(
      false,
    );
  });
});
