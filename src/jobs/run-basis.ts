import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Profile } from '../config/profile.ts';
import { digestText } from '../core/digest.ts';
import { toJson } from '../core/json.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import { agentVersion } from './agent-version.ts';

/** What a full run is made from, told cheaply: what differs from the last run is a reason for another. */
export interface RunBasis {
  /** Size and time of the file, not its content: that is read by the run itself, which makes no variant anew that it has. */
  readonly model: string;
  readonly data: string;
  readonly profile: string;
  readonly software: string;
  /** Drivers of the GPUs. Absent until they are known. */
  readonly drivers?: string;
}

export type BasisPart = keyof RunBasis;

/** Why a full run was ordered: its daemon ended while the one before was under way, or a part of what it is made from changed. */
export type RunReason = 'first' | 'interrupted' | 'schedule' | BasisPart;

/** Looks at the files of a profile. A file that is not there is a state as any other: the run will say so. */
export async function readBasis(profile: Profile, hardware: HostInventory | undefined): Promise<RunBasis> {
  const { model, data } = profile;
  const [modelStamp, dataStamp] = await Promise.all([stampOf(model), stampOf(data.set.path)]);
  return {
    model: modelStamp,
    data: dataStamp,
    profile: digestProfile(profile),
    software: `ptq-agent ${agentVersion()}, onnxruntime ${onnxRuntimeVersion()}`,
    ...(hardware === undefined ? {} : { drivers: driversOf(hardware) }),
  };
}

/** Names what a profile says, but for the model's own path. */
export function digestProfile({ model: _, file, ...said }: Profile): string {
  // Paths inside of the profile's own folder move with it. The data come first, as in the names of earlier versions.
  const { data, ...rest } = said;
  return digestText(toJson({ data, ...rest }).replaceAll(dirname(file), '.')).slice(0, 16);
}

/** Which parts differ. What one of both does not know is no difference. */
export function changedParts(before: RunBasis, now: RunBasis): readonly BasisPart[] {
  return (Object.keys(now) as BasisPart[]).filter(
    (part) => before[part] !== undefined && now[part] !== undefined && before[part] !== now[part],
  );
}

/** The file that a link leads to, as whoever replaces a model by changing a link expects. */
async function stampOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return `${size} ${Math.round(mtimeMs)} ${ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}

function driversOf({ gpus = [] }: HostInventory): string {
  return [...new Set(gpus.map(({ driverVersion = '' }) => driverVersion))].sort().join(', ');
}
