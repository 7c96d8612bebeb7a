import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serveCommand } from '../../../src/cli/commands/serve.ts';
import { capturedTerminal } from '../../support/captured-terminal.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const FILE = join(REPOSITORY, 'deploy/container/Containerfile');
const text = readFileSync(FILE, 'utf8').replaceAll('\\\n', ' ');
const instructions = text
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line))
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()] as const);
const argumentsOf = (name: string) =>
  instructions.filter(([instruction]) => instruction === name).map(([, words]) => words);

describe('deploy/container/Containerfile', () => {
  it('copies only what is there', () => {
    const sources = argumentsOf('COPY')
      .filter((words) => !words.startsWith('--from'))
      .flatMap((words) => words.split(/\s+/).slice(0, -1));
    expect(sources).toContain('package-lock.json');
    for (const source of sources) expect(existsSync(join(REPOSITORY, source)), source).toBe(true);
    const left = readFileSync(`${FILE}.dockerignore`, 'utf8').trim().split('\n');
    expect(sources.filter((source) => left.includes(source))).toEqual([]);
  });

  it('does not run as root, and says how it is', () => {
    expect(argumentsOf('USER')).toEqual(['10001:10001']);
    expect(argumentsOf('HEALTHCHECK')[0]).toContain('/-/healthy');
  });

  it('starts the daemon with options that it has', () => {
    const { options } = serveCommand(capturedTerminal().terminal, () => {});
    const words = JSON.parse(argumentsOf('CMD')[0] ?? '[]') as readonly string[];
    expect(words[0]).toBe('serve');
    const given = words.filter((word) => word.startsWith('--'));
    expect(given.length).toBeGreaterThan(3);
    expect(options.map(({ long }) => long)).toEqual(expect.arrayContaining(given));
  });

  it('takes the versions of its bases from arguments, and pins them', () => {
    for (const image of argumentsOf('ARG').filter((words) => words.includes('/')))
      expect(image).toMatch(/:\d+\.\d+\.\d+-/);
  });
});
