import fc from 'fast-check';
import { graphRun, modelRun, nodeEvent, type ProfileEvent } from './profile-events.ts';

/** True times of a tree of operators, and what the runtime writes of them. */
interface TrueOp {
  readonly gapNs: number;
  readonly ownNs: number;
  readonly bodies: readonly (readonly TrueOp[])[];
}

/** One run from 1000 us on, of operators with and without bodies; each node has a name of its own. */
export function randomRun() {
  const nanoseconds = fc.integer({ min: 0, max: 3000 });
  const { op } = fc.letrec<{ op: TrueOp }>((tie) => ({
    op: fc.record({
      gapNs: nanoseconds,
      ownNs: nanoseconds,
      bodies: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constant([]),
        fc.array(fc.array(tie('op'), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
      ),
    }),
  }));
  return fc
    .record({ ops: fc.array(op, { minLength: 1, maxLength: 5 }), startNs: nanoseconds })
    .map(({ ops, startNs }) => {
      const events: ProfileEvent[] = [];
      const depths = new Map<string, number>();
      let atNs = 1_000_000 + startNs;
      const span = (fromNs: number): [number, number] => [
        Math.floor(fromNs / 1000),
        Math.floor((atNs - fromNs) / 1000),
      ];
      const run = ({ gapNs, ownNs, bodies }: TrueOp, depth: number) => {
        atNs += gapNs;
        const fromNs = atNs;
        atNs += ownNs;
        for (const body of bodies) {
          const bodyNs = atNs;
          for (const inner of body) run(inner, depth + 1);
          events.push(graphRun(span(bodyNs)));
        }
        const name = `n${depths.size}`;
        depths.set(name, depth);
        events.push(nodeEvent(name, bodies.length > 0 ? 'Loop' : 'Add', span(fromNs)));
      };
      const fromNs = atNs;
      for (const each of ops) run(each, 0);
      events.push(graphRun(span(fromNs)));
      atNs += 2000;
      events.push(modelRun(span(1_000_000)));
      return { events, depths, durationUs: Math.floor((atNs - 1_000_000) / 1000) };
    });
}
