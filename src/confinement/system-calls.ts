import type { Native, NativeArgument } from './native.ts';
import type { SyscallTable } from './syscalls.ts';

/** Calls of the kernel by their names, on the machine that this is. */
export interface SystemCalls {
  /** Throws `NativeError`. */
  call(name: string, ...values: readonly NativeArgument[]): number;
}

export function systemCalls(native: Native, { numbers }: SyscallTable): SystemCalls {
  return {
    call: (name, ...values) => {
      const number = numbers[name];
      if (number === undefined) throw new Error(`there is no number of the system call ${name}`);
      return native.call(name, number, ...values);
    },
  };
}
