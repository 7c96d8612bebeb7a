import { createRequire } from 'node:module';

/** The calls of the kernel that confinement needs and Node.js does not offer. */
export interface Native {
  /** A system call with numbers and addresses of memory as its arguments. Throws `NativeError`. */
  call(name: string, number: number, ...values: readonly NativeArgument[]): number;
  /** Becomes another program, which keeps this process's id, its open files and what it is forbidden. Throws `NativeError`. */
  execute(file: string, words: readonly string[], environment: Readonly<Record<string, string>>): never;
  /** The address of bytes, which have to be kept for as long as it is used. */
  addressOf(bytes: Uint8Array): bigint;
}

export type NativeArgument = number | bigint | Uint8Array;

/** The kernel refused a call. */
class NativeError extends Error {
  readonly errno: number;

  constructor(call: string, errno: number) {
    super(`${call} failed with errno ${errno}`);
    this.name = 'NativeError';
    this.errno = errno;
  }
}

const LIBRARY = 'libc.so.6';
const ARGUMENTS = 6;

/**
 * Opens the C library of this process. Throws where there is none by that name, or no koffi for this machine.
 * @param launcher  the file that asks, from whose place packages are looked for
 */
export function openNative(launcher: string): Native {
  // Loaded on purpose and not by an import: a machine for which there is no koffi has no confinement, and no other fault.
  const koffi = createRequire(launcher)('koffi') as typeof import('koffi');
  const library = koffi.load(LIBRARY);
  const pointer = 'void *';
  const execve = library.func('execve', 'int', ['str', 'const char **', 'const char **']);
  const numbers = (values: readonly NativeArgument[]) =>
    Array.from({ length: ARGUMENTS }, (_, index) =>
      values[index] instanceof Uint8Array ? pointer : 'int64_t',
    );
  return {
    call: (name, number, ...values) => {
      // One prototype for each shape of arguments: the C library passes them on as they come.
      const syscall = library.func('syscall', 'long', ['long', ...numbers(values)]) as (
        ...all: readonly unknown[]
      ) => number;
      const padded = Array.from({ length: ARGUMENTS }, (_, index) => values[index] ?? 0);
      const result = syscall(number, ...padded);
      if (result === -1) throw new NativeError(name, koffi.errno());
      return result;
    },
    execute: (file, words, environment) => {
      const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      execve(file, [...words, null], [...variables, null]);
      throw new NativeError('execve', koffi.errno());
    },
    addressOf: (bytes) => koffi.address(bytes) as bigint,
  };
}
