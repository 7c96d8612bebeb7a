import { createRequire } from 'node:module';
import type { MigDevice } from '../gpu-reading.ts';
import { readQueryXml } from './read-query-xml.ts';
import { runSmi } from './run-smi.ts';

const TIMEOUT_MS = 60_000;

/**
 * The parts of every split GPU, by the UUID of the GPU: their numbers from `nvidia-smi -q -x`, their names and identifiers from
 * `nvidia-smi -L`, which lists them in the same order. Without their memory, which would be old by the time it is shown.
 */
export async function readMigDevices(command: string): Promise<ReadonlyMap<string, readonly MigDevice[]>> {
  const [xml, list] = await Promise.all([
    runSmi(command, ['-q', '-x'], TIMEOUT_MS),
    runSmi(command, ['-L'], TIMEOUT_MS),
  ]);
  const parts = new Map<string, readonly MigDevice[]>();
  if (!xml.ok) return parts;
  const document = await parseXml(xml.value);
  const named = list.ok ? parseDeviceList(list.value) : new Map<string, readonly NamedPart[]>();
  for (const { gpu } of readQueryXml(document)?.gpus ?? []) {
    const devices = (gpu.mig ?? []).map(({ memory: _memory, ...device }, position) => ({
      ...device,
      ...named.get(gpu.uuid)?.[position],
    }));
    if (devices.length > 0) parts.set(gpu.uuid, devices);
  }
  return parts;
}

/** What is used of xml2js; it is loaded only where a GPU is split. */
interface Xml2js {
  parseStringPromise(text: string, options: Readonly<Record<string, boolean>>): Promise<unknown>;
}

async function parseXml(text: string): Promise<unknown> {
  try {
    const require = createRequire(import.meta.url);
    const xml2js = require('xml2js') as Xml2js;
    return await xml2js.parseStringPromise(text, { explicitArray: false, trim: true });
  } catch {
    return undefined;
  }
}

type NamedPart = Pick<MigDevice, 'uuid' | 'name'>;

/** `GPU 0: NVIDIA H100 (UUID: GPU-…)`, and below it `  MIG 3g.40gb     Device  0: (UUID: MIG-…)`. */
function parseDeviceList(text: string): ReadonlyMap<string, readonly NamedPart[]> {
  const parts = new Map<string, NamedPart[]>();
  let current: NamedPart[] = [];
  for (const line of text.split('\n')) {
    const gpu = /^GPU \d+: .*\(UUID: (GPU-[^)]+)\)/.exec(line)?.[1];
    const [, name, uuid] = /^\s+(MIG \S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)/.exec(line) ?? [];
    if (gpu !== undefined) {
      current = [];
      parts.set(gpu, current);
    } else if (name !== undefined && uuid !== undefined) current.push({ name, uuid });
  }
  return parts;
}
