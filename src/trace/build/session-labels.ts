import type { TracePart } from '../trace-part.ts';

/**
 * How people tell the sessions of a trace apart, with what differs first, as viewers show but the beginning: the variant, and
 * the lane that ran it. Every label is there once.
 * @param shortNames  of models
 */
export function sessionLabels(
  parts: readonly Pick<TracePart, 'modelId' | 'thread'>[],
  shortNames: ReadonlyMap<string, string>,
): readonly string[] {
  const taken = new Set<string>();
  return parts.map(({ modelId, thread }) => {
    const [, ...lane] = thread.split(', ');
    const wanted = `${shortNames.get(modelId) || modelId}, ${lane.join(', ') || thread}`;
    let label = wanted;
    for (let number = 2; taken.has(label); number++) label = `${wanted}, session ${number}`;
    taken.add(label);
    return label;
  });
}
