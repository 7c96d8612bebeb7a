import type { Native } from './native.ts';
import type { ResourceLimits } from './policy.ts';
import type { SystemCalls } from './system-calls.ts';

/** PR_* of linux/prctl.h. */
const SET_NO_NEW_PRIVILEGES = 38;
const DROP_FROM_BOUNDING_SET = 24;
const AMBIENT = 47;
const CLEAR_AMBIENT = 4;

/** linux/capability.h. Read and write what other users own: which files these are is Landlock's to say. */
const CAP_DAC_OVERRIDE = 1;
const CAP_DAC_READ_SEARCH = 2;
const KEPT_CAPABILITIES: readonly number[] = [CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH];
const MAX_CAPABILITY = 63;
const CAPABILITY_VERSION = 0x20080522;

/** RLIMIT_* of asm-generic/resource.h. */
const CPU_SECONDS = 0;
const FILE_SIZE = 1;
const DATA = 2;
const CORE = 4;
const OPEN_FILES = 7;
/** Between SIGXCPU, which can be caught, and the end. */
const CPU_GRACE_SECONDS = 5;

const SET_FILTER = 1;
/**
 * Kernels before 5.16 slow the whole process down when it has a filter, against attacks on speculation from inside of it
 * (spec_store_bypass_disable=seccomp): a benchmark would measure that. This says not to.
 */
const SPECULATION_ALLOWED = 1 << 2;

const SET_DESCRIPTOR_FLAGS = 2;

/** Programs that it becomes get no right that it has not, such as by a setuid bit. */
export function forbidNewPrivileges(system: SystemCalls): void {
  system.call('prctl', SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0);
}

/** Gives up what root can do beyond its files, for good. Without effect for others, who have none of it. */
export function dropCapabilities(system: SystemCalls, heldMask: bigint): void {
  if (heldMask === 0n) return;
  system.call('prctl', AMBIENT, CLEAR_AMBIENT, 0, 0, 0);
  for (let capability = 0; capability <= MAX_CAPABILITY; capability++) {
    if (KEPT_CAPABILITIES.includes(capability)) continue;
    try {
      system.call('prctl', DROP_FROM_BOUNDING_SET, capability, 0, 0, 0);
    } catch {
      // The kernel knows no such capability, or this process may not drop it; what it holds goes below all the same.
    }
  }
  const kept =
    KEPT_CAPABILITIES.reduce((mask, capability) => mask | (1n << BigInt(capability)), 0n) & heldMask;
  const low = Number(kept & 0xffffffffn);
  const header = Uint32Array.of(CAPABILITY_VERSION, 0);
  // Effective, permitted and inheritable, their lower and then their upper halves.
  const data = Uint32Array.of(low, low, 0, 0, 0, 0);
  system.call('capset', new Uint8Array(header.buffer), new Uint8Array(data.buffer));
}

/** The limits, hard ones: they can be lowered and not raised again. No core is ever dumped. */
export function limitResources(system: SystemCalls, limits: ResourceLimits): void {
  const set = (resource: number, soft: number, hard = soft) => {
    const pair = BigUint64Array.of(BigInt(soft), BigInt(hard));
    system.call('prlimit64', 0, resource, new Uint8Array(pair.buffer), 0);
  };
  set(CORE, 0);
  if (limits.openFiles !== undefined) set(OPEN_FILES, limits.openFiles);
  if (limits.fileSizeBytes !== undefined) set(FILE_SIZE, limits.fileSizeBytes);
  if (limits.dataBytes !== undefined) set(DATA, limits.dataBytes);
  if (limits.cpuSeconds !== undefined) {
    set(CPU_SECONDS, limits.cpuSeconds, limits.cpuSeconds + CPU_GRACE_SECONDS);
  }
}

/** Every system call of this thread, and of all that it starts or becomes, goes through the filter from here on. */
export function installFilter(system: SystemCalls, native: Native, filter: Uint8Array): void {
  // `struct sock_fprog`: how many instructions of 8 bytes, and where they are.
  const program = new DataView(new ArrayBuffer(16));
  program.setUint16(0, filter.length / 8, true);
  program.setBigUint64(8, native.addressOf(filter), true);
  system.call('seccomp', SET_FILTER, SPECULATION_ALLOWED, new Uint8Array(program.buffer));
}

/** Node.js keeps programs that it becomes from getting its standard streams and its channel; this gives them back. */
export function keepOpen(system: SystemCalls, descriptors: readonly number[]): void {
  for (const descriptor of descriptors) system.call('fcntl', descriptor, SET_DESCRIPTOR_FLAGS, 0);
}
