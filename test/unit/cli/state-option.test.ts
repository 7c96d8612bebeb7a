import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { addStateOption, carriedState, type StateOptions, statesOf } from '../../../src/cli/state-option.ts';

describe('--state', () => {
  it.each([
    ['stateN=state', { output: 'stateN', input: 'state' }],
    ['stateN=state:2x1x128', { output: 'stateN', input: 'state', dims: [2, 1, 128] }],
    ['new:0=old:0', { output: 'new:0', input: 'old:0' }],
    ['new:0=old:0:1x8x0x64', { output: 'new:0', input: 'old:0', dims: [1, 8, 0, 64] }],
  ])('reads %s', (text, expected) => {
    expect(carriedState(text, [])).toEqual([expected]);
  });

  it.each(['', 'state', '=state', 'stateN='])('refuses %j', (text) => {
    expect(() => carriedState(text, [])).toThrow(InvalidArgumentError);
  });

  it('refuses to feed one input twice', () => {
    expect(() => carriedState('b=state', [{ output: 'a', input: 'state' }])).toThrow(
      "'state' is given twice",
    );
  });

  it('may be given more than once, and goes before the profile', () => {
    const command = addStateOption(new Command());
    command.parse(['--state', 'hn=h0', '--state', 'cn=c0'], { from: 'user' });
    const given = [
      { output: 'hn', input: 'h0' },
      { output: 'cn', input: 'c0' },
    ];
    const ofProfile = [{ output: 'a', input: 'b' }];
    expect(statesOf(command.opts<StateOptions>(), ofProfile)).toEqual({ states: given });
    expect(statesOf({ state: [] }, ofProfile)).toEqual({ states: ofProfile });
    expect(statesOf({ state: [] })).toEqual({});
  });
});
