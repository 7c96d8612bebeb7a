import { createRequire } from 'node:module';
import { onTestFinished } from 'vitest';

interface Libc {
  func(
    name: string,
    result: string,
    parameters: readonly string[],
  ): (...values: readonly unknown[]) => number;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const MOST_BYTES = 65_536;

/** Receives Unix datagrams as systemd does, at a path or at a name that begins with `@`. Returns what reads those that have come. */
export function receiveDatagrams(address: string): () => readonly string[] {
  const libc = (createRequire(import.meta.url)('koffi') as { load(path: null): Libc }).load(null);
  const bind = libc.func('bind', 'int', ['int', 'void *', 'uint32_t']);
  const recv = libc.func('recv', 'intptr_t', ['int', 'void *', 'size_t', 'int']);
  const close = libc.func('close', 'int', ['int']);
  const descriptor = libc.func('socket', 'int', ['int', 'int', 'int'])(AF_UNIX, SOCK_DGRAM, 0);
  onTestFinished(() => void close(descriptor));
  const path = address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`;
  const target = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(path)]);
  if (bind(descriptor, target, target.length) !== 0) throw new Error(`cannot bind ${address}`);
  const all: string[] = [];
  const buffer = Buffer.alloc(MOST_BYTES);
  return () => {
    for (;;) {
      const length = recv(descriptor, buffer, buffer.length, MSG_DONTWAIT);
      if (length < 0) return all;
      all.push(buffer.toString('utf8', 0, length));
    }
  };
}
