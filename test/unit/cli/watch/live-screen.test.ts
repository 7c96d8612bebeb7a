import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LiveScreen } from '../../../../src/cli/watch/live-screen.ts';

function screen() {
  let written = '';
  const stream = Object.assign(
    new Writable({
      write: (chunk, _encoding, done) => {
        written += String(chunk);
        done();
      },
    }),
    { columns: 40, rows: 10 },
  );
  const take = () => {
    const text = written.replaceAll('\u001b', '<');
    written = '';
    return text;
  };
  return { live: new LiveScreen(stream), take };
}

describe('LiveScreen', () => {
  it('takes the second screen and hides the cursor, and gives both back once', () => {
    const { live, take } = screen();
    live.enter();
    expect(take()).toBe('<[?1049h<[?25l<[2J');
    live.leave();
    live.leave();
    expect(take()).toBe('<[?25h<[?1049l');
  });

  it('writes only lines that changed, and clears what is left of longer ones', () => {
    const { live, take } = screen();
    live.draw(['a', 'b', 'c']);
    take();
    live.draw(['a', 'B']);
    expect(take()).toBe('<[?2026h<[2;1HB<[K<[3;1H<[K<[?2026l');
    live.draw(['a', 'B']);
    expect(take()).toBe('');
  });

  it('writes all lines again after a change of size', () => {
    const { live, take } = screen();
    live.draw(['a']);
    live.clear();
    take();
    live.draw(['a']);
    expect(take()).toContain('<[1;1Ha');
    expect(live.size()).toEqual({ columns: 40, rows: 10 });
  });
});
