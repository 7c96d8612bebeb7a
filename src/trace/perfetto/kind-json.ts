import { toJson } from '../../core/json.ts';
import type { EventKind, TraceStats } from '../trace.ts';

/** What the events of a kind have in common, as pieces of JSON. */
export interface KindJson {
  /** The name, and the arguments as far as they are the kind's: `,"name":"…","args":{…` without the closing brace. */
  readonly slice: Uint8Array;
  readonly hasArguments: boolean;
  /** The name of the counter track that its events are samples of, where they tell how much memory is in use. */
  readonly memory: Uint8Array | undefined;
}

/** Kinds of which an event says what an allocator holds now. */
const MEMORY_KINDS: ReadonlySet<string> = new Set(['MemoryAllocation', 'MemoryDeallocation']);

export function kindJson({ name, displayName, stats }: EventKind): KindJson {
  const shown = plainStats(stats);
  const args = toJson(displayName === undefined ? shown : { op: displayName, ...shown });
  const allocator = stats?.['allocator_name'];
  return {
    slice: Buffer.from(`,"name":${toJson(name)},"args":${args.slice(0, -1)}`),
    hasArguments: args !== '{}',
    memory: MEMORY_KINDS.has(name)
      ? counterJson(typeof allocator === 'string' ? `Memory, ${allocator}` : 'Memory')
      : undefined,
  };
}

/** `,"name":"…","args":{` */
export function counterJson(track: string): Uint8Array {
  return Buffer.from(`,"name":${toJson(track)},"args":{`);
}

/** Stats as JSON has them, without the marks by which TensorFlow's tools find steps. */
export function plainStats(stats: TraceStats | undefined): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(stats ?? {})
      .filter(([name]) => isShown(name))
      .map(([name, stat]) => [
        name,
        typeof stat === 'string' ? stat : 'int' in stat ? stat.int : stat.double,
      ]),
  );
}

export function isShown(stat: string): boolean {
  return !stat.startsWith('_');
}
