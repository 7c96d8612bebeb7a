import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../temporary-folder.ts';

export type SmiRow = Readonly<Record<string, string>>;

/** What the fake answers. */
export interface FakeSmiState {
  /** A GPU each, by the names of `--query-gpu`, with units. */
  readonly gpus: readonly SmiRow[];
  /** The fields that it knows. */
  readonly offered: readonly string[];
  /** `--help-query-gpu` as it was recorded, in place of one made from `offered`. */
  readonly help?: string;
  /** `--query-compute-apps`. */
  readonly processes?: readonly SmiRow[];
  /** `-q -x`. */
  readonly xml?: string;
  /** `-L`. */
  readonly list?: string;
  /** Of every run. */
  readonly fault?: {
    readonly exit?: number;
    readonly stdout?: string;
    readonly stderr?: string;
    readonly hangs?: boolean;
    readonly ignoresSigterm?: boolean;
    readonly delayMs?: number;
  };
  /** Of runs that print for ever. */
  readonly stream?: {
    readonly exit?: number;
    readonly afterPeriods?: number;
    readonly words?: string;
    readonly silent?: boolean;
    /** Printed before every line. */
    readonly between?: string;
    readonly stderr?: string;
    readonly halfLines?: boolean;
  };
}

export interface FakeSmi {
  readonly command: string;
  /** To be put first in PATH. */
  readonly folder: string;
  answer(state: FakeSmiState): void;
}

const SCRIPT = fileURLToPath(new URL('fake-nvidia-smi.mjs', import.meta.url));

export function installFakeSmi(state: FakeSmiState): FakeSmi {
  const folder = temporaryFolder();
  const command = join(folder, 'nvidia-smi');
  const stateFile = join(folder, 'state.json');
  const answer = (next: FakeSmiState) => {
    writeFileSync(`${stateFile}.next`, JSON.stringify(next));
    renameSync(`${stateFile}.next`, stateFile);
  };
  answer(state);
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${SCRIPT}' '${stateFile}' "$@"\n`);
  chmodSync(command, 0o755);
  return { command, folder, answer };
}
