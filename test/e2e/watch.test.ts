import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isBuilt, runProgram } from '../support/program.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hasScript = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!isBuilt)('ptq-agent watch (skipped where `npm run build` was not run)', () => {
  it('prints lines where its output is no terminal, as text and as JSON', async () => {
    const text = await runProgram(['watch', '--local', '--interval', '500ms', '--count', '4']);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    const lines = text.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines.at(-1)).toMatch(/^2\d{3}-[^;]+Z; cpu [\d.]+ %; memory [\d.]+ \w+ of /);
    const json = await runProgram(['watch', '--local', '--interval', '500ms', '--count', '4', '--json']);
    const last = JSON.parse(json.stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(last.figures).toContainEqual({ label: 'memory', unit: 'bytes', value: expect.any(Number) });
  }, 30_000);

  it.skipIf(!hasScript)(
    'draws in the second screen of a terminal and gives it back at Ctrl-C (needs script of util-linux)',
    async () => {
      // The interrupt reaches the shell too, which is to live on and tell how the program ended.
      const command = `trap : INT; stty cols 70 rows 12; '${process.execPath}' '${MAIN}' watch --local --interval 300ms; echo "ended with $?"`;
      const terminal = spawn('script', ['-qec', command, '/dev/null'], {
        env: { ...process.env, NO_COLOR: '1' },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let stdout = '';
      let isInterrupted = false;
      terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
        // The terminal's own way: the control character goes in, the interrupt comes out of its line discipline. Only
        // once, when figures are drawn, and with the input left open: at its end script takes the terminal away.
        if (stdout.includes(' %') && !isInterrupted) {
          isInterrupted = true;
          terminal.stdin.write('\u0003');
        }
        if (stdout.includes('ended with')) terminal.stdin.end();
      });
      await once(terminal, 'close');
      const [before = '', drawn = '', after = ''] = stdout.replaceAll('\u001b', '^').split(/\^\[\?1049[hl]/);
      expect(before).not.toContain('cpu');
      expect(drawn).toMatch(/\^\[\?25l/);
      expect(drawn).toMatch(/\^\[\d+;1Hcpu {16}[ ▁▂▃▄▅▆▇█]{26} [\d.]+ %\^\[K/);
      expect(drawn).not.toContain('^[36m');
      expect(drawn.trimEnd()).toMatch(/\^\[\?25h$/);
      expect(after).toContain('ended with 0');
    },
    30_000,
  );

  it.each([
    ['two things to watch', ['--local', '--agent', 'http://127.0.0.1:9'], /--local and --agent/],
    ['a run without its daemon', ['01M8', '--local'], /only be watched at its daemon/],
    ['no URL', ['--agent', 'here'], /expected a URL/],
    ['a daemon that is not there', ['--agent', 'http://127.0.0.1:9'], /no daemon can be watched/],
  ])('refuses %s', async (_what, args, message) => {
    const refused = await runProgram(['watch', ...args]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(message);
    expect(refused.stderr).not.toMatch(/ {4}at /);
  });
});
