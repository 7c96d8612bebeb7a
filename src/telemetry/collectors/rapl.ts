import { attempt, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type CollectProblem, type Host, listFolder, parseCounter, readText } from './collector.ts';

/** An energy counter of a processor. */
export interface RaplZone {
  /** `package-0`: all of a processor. `dram-0`: the memory at it, which is not within it. */
  readonly zone: string;
  readonly joules: number;
  /** Above this the counter begins anew at zero: minutes to hours, by the power. */
  readonly wrapJoules: number;
}

export interface RaplReading {
  /** They do not overlap, so that they can be added. */
  readonly zones: readonly RaplZone[];
}

/** A zone with the file of its counter. */
export interface RaplFile {
  readonly zone: string;
  readonly file: string;
  readonly wrapJoules: number;
}

/**
 * Zones of whole packages as the powercap driver names their folders; `intel-rapl-mmio` counts the same packages by another
 * way. AMD's processors are found under this name too.
 */
const ZONE = /^intel-rapl:\d+$/;

/** Parts of a package: cores, graphics, and the memory, which alone stands beside the package. */
const PART = /^intel-rapl:\d+:\d+$/;

/** Not `psys`, which stands beside the packages and includes them. */
const PACKAGE = /^package-(\d+(?:-die-\d+)?)$/;

/**
 * Energy of the processors since boot, from `/sys/class/powercap` (kernel doc power/powercap/powercap.rst). Kernels since 5.10
 * show it to root only (CVE-2020-8694): `unreadable`. `absent` in a virtual machine.
 */
export function createRapl(): (host: Host) => Result<RaplReading, CollectProblem> {
  let files: readonly RaplFile[] | undefined;
  return (host) =>
    attempt(() => {
      files ??= findRaplFiles(host);
      return { zones: files.map((file) => readRaplZone(host, file)) };
    });
}

/** The counters of packages and their memory. Throws `absent` where there are none, and what a file that cannot be read throws. */
export function findRaplFiles(host: Host): readonly RaplFile[] {
  const folder = `${host.sysPath}/class/powercap`;
  const names = [...listFolder(folder)].sort();
  const files = names
    .filter((name) => ZONE.test(name))
    .flatMap((name) => {
      const id = PACKAGE.exec(nameOf(host, `${folder}/${name}`))?.[1];
      if (id === undefined) return [];
      const memory = names.filter(
        (part) =>
          PART.test(part) && part.startsWith(`${name}:`) && nameOf(host, `${folder}/${part}`) === 'dram',
      );
      return [
        toFile(host, `package-${id}`, `${folder}/${name}`),
        ...memory.map((part) => toFile(host, `dram-${id}`, `${folder}/${part}`)),
      ];
    });
  if (files.length > 0) return files;
  throw new ProblemError(problem('absent', `This host has no RAPL counter of a package in ${folder}`));
}

/** Throws `absent`, `unreadable` with what to do, or `malformed`. */
export function readRaplZone(host: Host, { zone, file, wrapJoules }: RaplFile): RaplZone {
  return { zone, joules: readJoules(host, file), wrapJoules };
}

function toFile(host: Host, zone: string, folder: string): RaplFile {
  return {
    zone,
    file: `${folder}/energy_uj`,
    wrapJoules: readJoules(host, `${folder}/max_energy_range_uj`),
  };
}

function nameOf(host: Host, folder: string): string {
  return readText(host, `${folder}/name`).trim();
}

function readJoules(host: Host, file: string): number {
  try {
    return parseCounter(readText(host, file).trim(), 'microjoules', file, 1) / 1e6;
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.kind !== 'unreadable') throw error;
    throw new ProblemError({
      ...error.problem,
      hint: 'energy counters are for root only: run as root, or let a group read the energy_uj files (chgrp and chmod g+r)',
    });
  }
}
