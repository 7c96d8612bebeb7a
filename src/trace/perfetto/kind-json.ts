import { toJson } from '../../core/json.ts';
import type { EventKind, TraceStats } from '../trace.ts';

/** What the events of a kind have in common, as pieces of JSON. */
export interface KindJson {
  /** The name, and the arguments as far as they are the kind's: `,"name":"…","args":{…` without the closing brace. */
  readonly slice: Uint8Array;
  readonly hasArguments: boolean;
  /** The counter track that its events are samples of, where they tell how much memory is in use; see `counterJson`. */
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
      ? counterJson(`memory of ${typeof allocator === 'string' ? allocator : 'an allocator'} bytes`)
      : undefined,
  };
}

/**
 * What stands before the value of a counter: `,"name":"…","args":{"…":`. Perfetto calls a track by its name and that of the
 * argument, so the last word of what people should read, mostly a unit, becomes the argument.
 */
export function counterJson(track: string): Uint8Array {
  const space = track.lastIndexOf(' ');
  const name = space < 0 ? track : track.slice(0, space);
  const unit = space < 0 ? 'value' : track.slice(space + 1);
  return Buffer.from(`,"name":${toJson(name)},"args":{${toJson(unit)}:`);
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
