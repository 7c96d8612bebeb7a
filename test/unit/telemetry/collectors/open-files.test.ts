import { mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { OpenFiles } from '../../../../src/telemetry/collectors/open-files.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-open-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Descriptors of this process that refer to a file. */
function countOpen(file: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === file;
    } catch {
      return false;
    }
  }).length;
}

describe('OpenFiles', () => {
  it('gives the text as it is now, longer or shorter than before', () => {
    const file = join(newFolder(), 'stat');
    const files = new OpenFiles();
    for (const text of ['cpu 1', 'cpu 1234567', '', 'ü'.repeat(200_000), 'cpu 2']) {
      writeFileSync(file, text);
      expect(files.read(file)).toBe(text);
    }
  });

  it('stays with the file it opened until that is swept', () => {
    const folder = newFolder();
    const file = join(folder, 'stat');
    writeFileSync(file, 'old');
    const files = new OpenFiles();
    files.read(file);
    writeFileSync(join(folder, 'other'), 'new');
    renameSync(join(folder, 'other'), file);
    expect(files.read(file)).toBe('old');
    files.sweep();
    files.sweep();
    expect(files.has(file)).toBe(false);
    expect(files.read(file)).toBe('new');
  });

  it('throws what the file system says of a file that does not exist', () => {
    expect(() => new OpenFiles().read('/nonexistent/stat')).toThrow(/ENOENT/);
  });

  it.skipIf(process.platform !== 'linux')(
    'closes the files that are read no more (looks in /proc/self/fd)',
    () => {
      const file = join(newFolder(), 'stat');
      writeFileSync(file, 'text');
      const files = new OpenFiles();
      files.read(file);
      files.sweep();
      expect(countOpen(file)).toBe(1);
      files.sweep();
      expect(countOpen(file)).toBe(0);
    },
  );

  it('reads what seldom changes, and looks for what is not there, once a second', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const folder = newFolder();
    const file = join(folder, 'memory.max');
    const files = new OpenFiles();
    expect(files.exists(file)).toBe(false);
    writeFileSync(file, '1');
    expect(files.exists(file)).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(files.exists(file)).toBe(true);
    expect(files.readSettled(file)).toBe('1');
    writeFileSync(file, '2');
    vi.advanceTimersByTime(999);
    expect(files.readSettled(file)).toBe('1');
    vi.advanceTimersByTime(1);
    expect(files.readSettled(file)).toBe('2');
  });

  it('copies into a buffer, and says when that is too small', () => {
    const file = join(newFolder(), 'stat');
    writeFileSync(file, 'cpu 1');
    const files = new OpenFiles();
    const buffer = Buffer.alloc(10, '.');
    expect(files.readInto(file, buffer, 2)).toBe(7);
    expect(buffer.toString()).toBe('..cpu 1...');
    // Five bytes of room for five: there might be more.
    expect(files.readInto(file, buffer, 5)).toBeUndefined();
    expect(files.readInto(file, buffer, 10)).toBeUndefined();
  });

  it('lists a folder anew after a second, as devices come and go seldom', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const folder = newFolder();
    const files = new OpenFiles();
    writeFileSync(join(folder, 'sda'), '');
    expect(files.list(folder)).toEqual(['sda']);
    writeFileSync(join(folder, 'sdb'), '');
    vi.advanceTimersByTime(999);
    expect(files.list(folder)).toEqual(['sda']);
    vi.advanceTimersByTime(1);
    expect(files.list(folder)).toEqual(['sda', 'sdb']);
    expect(() => files.list(join(folder, 'none'))).toThrow('ENOENT');
  });
});
