import type { TracedPart } from '../trace-input.ts';
import { type Roofline, rooflineOf } from './roofline.ts';
import { mergeWork, workOfEvents } from './work-of-events.ts';

/** The roofline of a model in a trace. */
export interface TracedRoofline {
  readonly modelId: string;
  readonly roofline: Roofline;
}

/** Rooflines of what was traced, the sessions of a model together, in the order in which models come first. */
export function rooflinesOfParts(parts: readonly TracedPart[]): readonly TracedRoofline[] {
  const modelIds = [...new Set(parts.map(({ part }) => part.modelId))];
  return modelIds.flatMap((modelId) => {
    const own = parts.filter(({ part, peaksOf }) => part.modelId === modelId && peaksOf !== undefined);
    const works = own.flatMap(({ part, events, facts }) =>
      events === undefined ? [] : workOfEvents(events, part.firstRequest, facts),
    );
    const work = mergeWork(works);
    // Lanes of a model have equal sessions, and so equal peaks.
    const peaksOf = own[0]?.peaksOf;
    return work.runs === 0 || peaksOf === undefined ? [] : { modelId, roofline: rooflineOf(work, peaksOf) };
  });
}
