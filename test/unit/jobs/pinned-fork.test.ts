import { describe, expect, it } from 'vitest';
import { pinnedFork, pinningProblem, refusedPinning } from '../../../src/jobs/pinned-fork.ts';

function argumentsWith(...execArgv: string[]): readonly string[] {
  return pinnedFork([0, 1, 5], { execPath: '/bin/node', execArgv }).execArgv;
}

describe('pinnedFork', () => {
  it('starts Node.js through the program that pins, with the switches of this process', () =>
    expect(pinnedFork([0, 1, 5], { execPath: '/bin/node', execArgv: ['--max-old-space-size=4000'] })).toEqual(
      {
        execPath: 'taskset',
        execArgv: ['-c', '0-1,5', '/bin/node', '--max-old-space-size=4000'],
      },
    ));

  it.each([
    [['--eval', 'fork()']],
    [['-e', 'fork()']],
    [['-p', 'fork()']],
    [['--print', 'fork()']],
    [['-pe', 'fork()']],
    [['--eval=fork()']],
    [['--print=fork()']],
  ])('does not hand on the script of %j, which would start a worker in turn without end', (script) =>
    expect(argumentsWith('--import', 'tsx', ...script, '--expose-gc')).toEqual([
      '-c',
      '0-1,5',
      '/bin/node',
      '--import',
      'tsx',
      '--expose-gc',
    ]),
  );
});

it('blames only a missing program on the pinning', () => {
  const error = (code: string) => Object.assign(new Error('spawn'), { code });
  expect(pinningProblem([0], error('ENOENT'))?.kind).toBe('cannot-pin-worker');
  expect(pinningProblem([0], error('EAGAIN'))).toBeUndefined();
  expect(pinningProblem([0], new Error('other'))).toBeUndefined();
});

it('knows the words of the program that pins from those of a worker', () => {
  expect(refusedPinning("taskset: failed to set pid 0's affinity: Invalid argument")?.message).toContain(
    'Invalid argument',
  );
  expect(refusedPinning('free(): invalid pointer')).toBeUndefined();
  expect(refusedPinning(undefined)).toBeUndefined();
});
