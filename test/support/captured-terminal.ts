import { Writable } from 'node:stream';
import type { Terminal } from '../../src/cli/terminal.ts';

export interface CapturedTerminal {
  readonly terminal: Terminal;
  readonly out: () => string;
  readonly err: () => string;
}

/** A terminal whose output is kept. It is not a TTY unless said so. */
export function capturedTerminal({ isTTY = false } = {}): CapturedTerminal {
  const written = { out: '', err: '' };
  const stream = (side: 'out' | 'err') =>
    new Writable({
      write: (chunk, _encoding, done) => {
        written[side] += String(chunk);
        done();
      },
    });
  return {
    terminal: { stdout: stream('out'), stderr: Object.assign(stream('err'), { isTTY }) },
    out: () => written.out,
    err: () => written.err,
  };
}
