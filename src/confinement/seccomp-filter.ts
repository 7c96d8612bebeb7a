import type { SyscallTable } from './syscalls.ts';

/** Calls that no worker needs; most of them are for administrators and debuggers, and each is a way around other limits. */
const FORBIDDEN = [
  'acct',
  'add_key',
  'adjtimex',
  'bpf',
  'chroot',
  'clock_adjtime',
  'clock_settime',
  'delete_module',
  'fanotify_init',
  'finit_module',
  'fsconfig',
  'fsmount',
  'fsopen',
  'fspick',
  'init_module',
  'ioperm',
  'iopl',
  'kcmp',
  'kexec_file_load',
  'kexec_load',
  'keyctl',
  'lookup_dcookie',
  'modify_ldt',
  'mount',
  'mount_setattr',
  'move_mount',
  'name_to_handle_at',
  'open_by_handle_at',
  'open_tree',
  'perf_event_open',
  'personality',
  'pidfd_getfd',
  'pidfd_open',
  'pidfd_send_signal',
  'pivot_root',
  'process_madvise',
  'process_vm_readv',
  'process_vm_writev',
  'ptrace',
  'quotactl',
  'quotactl_fd',
  'reboot',
  'request_key',
  'setdomainname',
  'sethostname',
  'setns',
  'settimeofday',
  'swapoff',
  'swapon',
  'syslog',
  'tkill',
  'umount2',
  'unshare',
  'userfaultfd',
  'vhangup',
] as const;

/** Calls that libraries do without when the kernel says that it has none: their arguments cannot be looked at. */
const ABSENT = ['clone3', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const;

/** Without flags to look at, these make processes: threads are made by clone. */
const PROCESSES = ['fork', 'vfork'] as const;

/** Calls whose first argument is a process. */
const ONLY_SELF = ['kill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo'] as const;

const EPERM = 1;
const EACCES = 13;
const ENOSYS = 38;
const CLONE_THREAD = 0x10000;
const AF_UNIX = 1;
/** Numbers of x32, a second set of calls on the same machine. */
const X32_FROM = 0x40000000;

/** SECCOMP_RET_* of linux/seccomp.h. */
const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const refuse = (errno: number): number => 0x00050000 | errno;

/** Codes of linux/bpf_common.h: load a word; jump if equal, at least, or a bit is set; return. */
const LOAD = 0x20;
const EQUALS = 0x15;
const AT_LEAST = 0x35;
const HAS_BITS = 0x45;
const RETURN = 0x06;

/** Offsets in `struct seccomp_data`; of an argument the lower half, as the machines that there are have it first. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const argumentAt = (index: number): number => 16 + 8 * index;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A program for the kernel's filter of system calls (`struct sock_filter[]`): no socket beyond `sockets`, no new process (threads are
 * allowed), no signal to any process but `pid`, and none of the calls of administrators. Everything else is allowed: what files
 * may be opened is not for a filter to say, as it sees no paths. Source: the kernel's userspace-api/seccomp_filter.rst.
 */
export function seccompFilter(
  { auditArchitecture, numbers }: SyscallTable,
  { pid, sockets }: { readonly pid: number; readonly sockets: 'none' | 'local' },
): Uint8Array {
  const rule = (name: string, ...body: readonly Instruction[]): readonly Instruction[] => {
    const number = numbers[name];
    return number === undefined ? [] : [[EQUALS, 0, body.length, number], ...body];
  };
  const answer = (value: number): Instruction => [RETURN, 0, 0, value];
  const argument = (index: number): Instruction => [LOAD, 0, 0, argumentAt(index)];
  const program: readonly Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE_AT],
    [EQUALS, 1, 0, auditArchitecture],
    answer(KILL_PROCESS),
    [LOAD, 0, 0, NUMBER_AT],
    [AT_LEAST, 0, 1, X32_FROM],
    answer(refuse(ENOSYS)),
    ...rule('clone', argument(0), [HAS_BITS, 1, 0, CLONE_THREAD], answer(refuse(EACCES)), answer(ALLOW)),
    ...(sockets === 'none'
      ? rule('socket', answer(refuse(EACCES)))
      : rule('socket', argument(0), [EQUALS, 1, 0, AF_UNIX], answer(refuse(EACCES)), answer(ALLOW))),
    ...ONLY_SELF.flatMap((name) =>
      rule(name, argument(0), [EQUALS, 1, 0, pid], answer(refuse(EPERM)), answer(ALLOW)),
    ),
    // Limits and readings of other processes; 0 is the caller itself.
    ...rule(
      'prlimit64',
      argument(0),
      [EQUALS, 2, 0, 0],
      [EQUALS, 1, 0, pid],
      answer(refuse(EPERM)),
      answer(ALLOW),
    ),
    ...ABSENT.flatMap((name) => rule(name, answer(refuse(ENOSYS)))),
    // As of a program that may not be started, which libraries expect: what the kernel forbids altogether they take for a fault.
    ...PROCESSES.flatMap((name) => rule(name, answer(refuse(EACCES)))),
    ...FORBIDDEN.flatMap((name) => rule(name, answer(refuse(EPERM)))),
    answer(ALLOW),
  ];
  return assemble(program);
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8 * program.length));
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    bytes.setUint16(8 * index, code, true);
    bytes.setUint8(8 * index + 2, ifTrue);
    bytes.setUint8(8 * index + 3, ifFalse);
    bytes.setUint32(8 * index + 4, value, true);
  });
  return new Uint8Array(bytes.buffer);
}
