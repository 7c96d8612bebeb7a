import { createRequire } from 'node:module';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';

/** Where a service manager hears how its service is. */
export interface NotifySocket {
  /** Sends one datagram. Never waits; false where it could not be taken, as when nobody reads it. */
  send(text: string): boolean;
  close(): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** Programs that are started later do not have it. */
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of `sockaddr_un`, unix(7). */
const PATH_BYTES = 108;

/** What is used of koffi. Written out, as it is an optional dependency that a type check must do without. */
interface Koffi {
  load(path: string | null): {
    func(
      name: string,
      result: string,
      parameters: readonly string[],
    ): (...values: readonly unknown[]) => number;
  };
}

/**
 * Opens the socket that `NOTIFY_SOCKET` names (sd_notify(3)): a path, or a name of Linux' abstract namespace, written with `@`. Node.js
 * has no Unix datagrams, so the calls are libc's. Problems: `notify-unavailable`.
 */
export function openNotifySocket(address: string): Result<NotifySocket, Problem<'notify-unavailable'>> {
  const target = socketAddress(address);
  if (target === undefined)
    return unavailable(`'${address.slice(0, PATH_BYTES)}' is no address of a Unix socket`);
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch {
    return unavailable('the package koffi, which calls the system, is not installed');
  }
  // The symbols of this process itself, among which are those of whichever libc it runs with.
  const libc = koffi.load(null);
  const socket = libc.func('socket', 'int', ['int', 'int', 'int']);
  const sendto = libc.func('sendto', 'intptr_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32_t']);
  const close = libc.func('close', 'int', ['int']);
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return unavailable('the system gives no socket');
  return ok({
    send: (text) => {
      const bytes = Buffer.from(text, 'utf8');
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      return sendto(descriptor, bytes, bytes.length, flags, target, target.length) === bytes.length;
    },
    close: () => void close(descriptor),
  });
}

/** `struct sockaddr_un`. Undefined for an address that is none, or too long. */
function socketAddress(address: string): Buffer | undefined {
  const isAbstract = address.startsWith('@');
  if (!isAbstract && !address.startsWith('/')) return undefined;
  // An abstract name begins with a zero and has no end but its length; a path ends with a zero.
  const path = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`, 'utf8');
  if (path.length > PATH_BYTES || path.length < 2) return undefined;
  const family = Buffer.alloc(2);
  if (new Uint8Array(new Uint16Array([AF_UNIX]).buffer)[0] === AF_UNIX) family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, path]);
}

function unavailable(reason: string): Result<never, Problem<'notify-unavailable'>> {
  return err(
    problem('notify-unavailable', `the service manager cannot be told how the daemon is: ${reason}`, {
      hint: 'set Type=exec in the unit, and no WatchdogSec; or install ptq-agent with its optional dependencies',
    }),
  );
}
