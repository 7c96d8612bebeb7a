import { describe, expect, it } from 'vitest';
import { folderProblem } from '../../../src/trace/folder-problems.ts';

describe('folderProblem', () => {
  it.each([
    ['ENOSPC', 'disk-full'],
    ['EROFS', 'folder-not-writable'],
    ['ENOENT', 'folder-not-usable'],
    ['EIO', 'trace-not-written'],
  ])('makes %s a problem that says what to do', (code, kind) => {
    const error = Object.assign(new Error('refused'), { code });
    const problem = folderProblem(error, '/traces');
    expect(problem).toMatchObject({ kind, place: { file: '/traces' } });
    expect(problem.message).toContain(code);
    expect(problem.hint).toBeDefined();
  });

  it('throws what is no answer of the operating system', () => {
    const bug = Object.assign(new TypeError('bug'), { code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => folderProblem(bug, '/traces')).toThrow(bug);
  });
});
