import { existsSync, renameSync } from 'node:fs';

/** What SQLite keeps beside a database, in the order in which it is to be moved: a log must never meet another database. */
const PARTS = ['-wal', '-shm', ''] as const;

/**
 * Moves a database that cannot be read away, with its log, to a name that says when. Returns that name. Where a crash comes
 * between, the rest is moved at the next start. Throws the error of the file system.
 */
export function moveDamagedAside(file: string, wallMs: number): string {
  const time = new Date(wallMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const name = freeName(`${file}.damaged-${time}`);
  for (const part of PARTS) if (existsSync(`${file}${part}`)) renameSync(`${file}${part}`, `${name}${part}`);
  return name;
}

function freeName(wanted: string): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (PARTS.every((part) => !existsSync(`${name}${part}`))) return name;
  }
}
