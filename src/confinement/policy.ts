/**
 * What a process may do, as plain data: the parent decides, and the launcher (`launch-main.ts`) carries it out before the first
 * line of the program runs, let alone a byte of a model is parsed.
 */
export interface ConfinementPolicy {
  readonly files: FileAccess;
  /** Sockets that it may make: none, or those to other processes of this host, which drivers of GPUs need. */
  readonly sockets: 'none' | 'local';
  readonly limits: ResourceLimits;
}

/** Files and folders, the latter with all that lies below them. What does not exist when the process starts gets no access. */
export interface FileAccess {
  readonly readable: readonly string[];
  /** Readable too, but only where they lie in one of `roots` when they are opened: what a user named may lead elsewhere by then. */
  readonly named: readonly string[];
  /** With links followed; anywhere unless given. */
  readonly roots?: readonly string[];
  /** Also readable. Regular files and folders can be made in them; links, sockets and devices cannot. */
  readonly writable: readonly string[];
  /** Devices, and folders of devices, that it may drive. */
  readonly devices: readonly string[];
  /** Folders of which it may know what is in them, and no more. */
  readonly listed: readonly string[];
  /** Files, and folders of files, that it may also write to; it makes and removes none there. */
  readonly rewritable: readonly string[];
}

/** Limits that the kernel enforces; each absent where there is none. */
export interface ResourceLimits {
  /** Files that are open at a time. */
  readonly openFiles?: number;
  /** Of each file that is written. */
  readonly fileSizeBytes?: number;
  /** That all its threads compute together. */
  readonly cpuSeconds?: number;
  /** Memory of its own that it may ask for, touched or not. */
  readonly dataBytes?: number;
  /** Above 0, it gives way to other processes. */
  readonly niceness?: number;
}
