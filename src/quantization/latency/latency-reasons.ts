import { formatSeconds } from '../../core/units.ts';
import type { SlowerPart } from './slower-parts.ts';

/** Why the nodes of parts stay float32, in words for the report, by the nodes' names. */
export function latencyReasons(parts: readonly SlowerPart[]): ReadonlyMap<string, string> {
  return new Map(
    parts.flatMap(({ nodes, int8Ns, float32Ns }) => {
      const here = nodes.length === 1 ? 'here' : `in this part of ${nodes.length} nodes`;
      const figures = `${formatSeconds(int8Ns / 1e9)} against ${formatSeconds(float32Ns / 1e9)} in float32`;
      return nodes.map(
        ({ node }) => [node.name ?? '', `int8 was measured slower ${here}: ${figures}`] as const,
      );
    }),
  );
}
