import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** The names in a folder of sysfs, sorted; none where the kernel shows no such folder. */
export function listSysfs(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** One attribute; empty where the kernel does not tell it, as attributes come and go with its versions. */
export function readSysfs(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** The name of what a link of sysfs leads to, such as the driver of a device. */
export function linkedName(link: string): string | undefined {
  try {
    return basename(readlinkSync(link));
  } catch {
    return undefined;
  }
}
