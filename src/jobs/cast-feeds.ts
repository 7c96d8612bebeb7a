import { encodeFloat16 } from '../core/float16.ts';
import type { NamedTensors } from '../core/tensor.ts';
import type { ModelPort } from '../runtime/session.ts';

/** The feeds of a float32 model for a variant of it whose inputs are float16; other inputs stay as they are. */
export function castFeeds(feeds: NamedTensors, ports: readonly ModelPort[]): NamedTensors {
  const halves = ports.filter(({ name, type }) => type === 'float16' && feeds[name]?.type === 'float32');
  if (halves.length === 0) return feeds;
  const cast = halves.flatMap(({ name }) => {
    const tensor = feeds[name];
    if (tensor === undefined) return [];
    const data = Uint16Array.from(tensor.data as Float32Array, encodeFloat16);
    return [[name, { type: 'float16', dims: tensor.dims, data }] as const];
  });
  return { ...feeds, ...Object.fromEntries(cast) };
}
