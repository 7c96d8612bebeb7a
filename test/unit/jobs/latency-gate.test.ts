import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import type { LatencyComparison } from '../../../src/jobs/compare-latency.ts';
import type { GateSessions } from '../../../src/jobs/gate-sessions.ts';
import { latencyRefusal, runLatencyGate } from '../../../src/jobs/latency-gate.ts';
import { viewGraph } from '../../../src/quantization/graph-view.ts';
import { type LeftFloat, placeQuantization } from '../../../src/quantization/placement.ts';
import type { ProfiledRun } from '../../../src/runtime/op-profile.ts';
import { waveConstant } from '../../support/constants.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { recipeWith } from '../../support/quantize-in-memory.ts';

type Outcome = LatencyComparison['outcome'];

/** Two Conv of one shape and one of another, each between float operators. */
const VIEW = viewGraph(
  model(
    graph({
      inputs: [value('x')],
      nodes: [
        node('Conv', ['x', 'small1'], ['a'], {}, { name: 'c1' }),
        node('Sqrt', ['a'], ['b']),
        node('Conv', ['b', 'small2'], ['c'], {}, { name: 'c2' }),
        node('Sqrt', ['c'], ['d']),
        node('Conv', ['d', 'large'], ['y'], {}, { name: 'c3' }),
      ],
      outputs: [value('y')],
      initializers: [
        waveConstant('small1', [4, 4, 1, 1]),
        waveConstant('small2', [4, 4, 1, 1]),
        waveConstant('large', [4, 4, 3, 3]),
      ],
    }),
  ),
);

type Kernels = Readonly<Record<'c1' | 'c2' | 'c3', number>>;

function profile(kernels: Kernels): readonly ProfiledRun[] {
  const calls = Object.entries(kernels).map(([name, durationNs]) => ({
    node: name,
    op: 'Kernel',
    provider: '',
    startNs: 0,
    durationNs,
    outputBytes: 0,
    inputShapes: name,
    outputShapes: '',
  }));
  return [{ startNs: 0, durationNs: 0, calls }];
}

/** Runs a gate on a host that finds what it is told to: `outcomes` of the comparisons, in their order. */
async function gate(
  kernels: { readonly float32: Kernels; readonly int8: Kernels },
  outcomes: readonly Outcome[],
  profiles = true,
) {
  const builds: (readonly string[])[] = [];
  const compared: string[] = [];
  const budgets: number[] = [];
  const names = new Map<() => Promise<void>, string>();
  const runOf = (path: string) => {
    const run = async () => {};
    names.set(run, path);
    return run;
  };
  const sessions: GateSessions = {
    openProfiled: async (path) => ({
      run: runOf(path),
      profiled: profiles ? profile(path === 'float32' ? kernels.float32 : kernels.int8) : [],
    }),
    openPlain: async (path) => runOf(path),
    closeAll: async () => {},
  };
  const left = [...outcomes];
  const result = await runLatencyGate({
    view: VIEW,
    float32Path: 'float32',
    sessions,
    clock: { nowNs: () => 0n, wallMs: () => 0 },
    build: async (float: LeftFloat) => {
      builds.push([...float.keys()]);
      return { path: `int8-${builds.length}`, placement: placeQuantization(VIEW, recipeWith(), float) };
    },
    compare: async (base, candidate, { budgetSeconds }) => {
      compared.push(`${names.get(base)} ${names.get(candidate)}`);
      budgets.push(budgetSeconds);
      const outcome = left.shift();
      if (outcome === undefined) throw new Error(`one comparison too many: ${compared.at(-1)}`);
      const speedUp = { estimate: 1, lower: 0.9, upper: 1.1, logStddev: 0 };
      return { baseNs: 60_000, candidateNs: 50_000, speedUp, outcome, rounds: 8 };
    },
  });
  expect(left).toEqual([]);
  return { ...result, builds, compared, budgets };
}

const FAST = { float32: { c1: 9000, c2: 9000, c3: 9000 }, int8: { c1: 3000, c2: 3000, c3: 3000 } };
/** c1 and c2 lose 2000 ns each in int8, and c3 gains. */
const MIXED = { float32: { c1: 3000, c2: 3000, c3: 30_000 }, int8: { c1: 4000, c2: 4000, c3: 3000 } };
/** c1 and c2 lose 2000 ns each, c3 loses 1000; a fourth is none. */
const SLOW = { float32: { c1: 3000, c2: 3000, c3: 3000 }, int8: { c1: 4000, c2: 4000, c3: 4000 } };

describe('the latency gate', () => {
  it('keeps a model that int8 makes faster throughout, after one comparison', async () => {
    const { kept, leftFloat, report, compared } = await gate(FAST, ['faster']);
    expect(kept.path).toBe('int8-1');
    expect(leftFloat.size).toBe(0);
    expect(compared).toEqual(['float32 int8-1']);
    expect(report).toMatchObject({ builds: 1, leftFloat: 0, float32Seconds: 60e-6, int8Seconds: 50e-6 });
  });

  it('leaves float32 what is slower in int8, when the whole is faster for it', async () => {
    const { kept, leftFloat, report, builds, compared, budgets } = await gate(MIXED, [
      'faster',
      'faster',
      'faster',
    ]);
    expect(budgets).toEqual([0.1, 0.3, 0.1]);
    expect(builds).toEqual([[], ['c1', 'c2']]);
    expect(kept.placement.nodes.map((plan) => plan.node.name)).toEqual(['c3']);
    expect(kept.placement.float).toContainEqual({
      node: 'c1',
      op: 'Conv',
      reason: expect.stringContaining('int8 was measured slower here'),
    });
    expect([...leftFloat.keys()]).toEqual(['c1', 'c2']);
    expect(compared).toEqual(['float32 int8-1', 'int8-1 int8-2', 'float32 int8-2']);
    expect(report).toMatchObject({ builds: 2, leftFloat: 2 });
  });

  it('keeps everything in int8 when leaving parts does not make the whole faster', async () => {
    const { kept, leftFloat, builds } = await gate(MIXED, ['faster', 'not-distinguished']);
    // The parts are of one kind, so there is no smaller choice of them to try.
    expect(builds).toEqual([[], ['c1', 'c2']]);
    expect(kept.path).toBe('int8-1');
    expect(leftFloat.size).toBe(0);
  });

  it('tries the most promising kind of parts alone when all of them together do not help', async () => {
    const bothKinds = {
      float32: { c1: 3000, c2: 30_000, c3: 3000 },
      int8: { c1: 4000, c2: 3000, c3: 9000 },
    };
    const { builds, kept } = await gate(bothKinds, ['faster', 'not-distinguished', 'faster', 'faster']);
    expect(builds).toEqual([[], ['c3', 'c1'], ['c3']]);
    expect(kept.path).toBe('int8-3');
  });

  it('does not build a model for a saving of less than two per cent', async () => {
    const small = { float32: { ...FAST.float32, c1: 3000 }, int8: { ...FAST.int8, c1: 2400 } };
    expect((await gate(small, ['faster'])).builds).toEqual([[]]);
    const enough = { ...small, int8: { ...small.int8, c1: 3100 } };
    expect((await gate(enough, ['faster', 'faster', 'faster'])).builds).toEqual([[], ['c1']]);
  });

  it('looks longer where float32 seems as fast, and refuses int8 where it is slower for certain', async () => {
    const doubtful = await gate(FAST, ['slower', 'not-distinguished']);
    expect(doubtful.compared).toEqual(['float32 int8-1', 'float32 int8-1']);
    expect(doubtful.budgets).toEqual([0.1, 0.3]);
    expect(latencyRefusal(doubtful, 'm.onnx')).toBeUndefined();

    const slow = await gate(SLOW, ['slower', 'slower']);
    expect(slow.builds).toEqual([[]]);
    const refusal = latencyRefusal(slow, 'm.onnx');
    expect(refusal).toMatchObject({ kind: 'int8-not-faster', place: { file: 'm.onnx' } });
    expect(refusal && formatProblem(refusal)).toContain('50.0 µs against 60.0 µs');
    expect(refusal?.hint).toContain('--latency-gate off');
  });

  it('judges the whole model where the runtime gives no profile', async () => {
    const { builds, kept } = await gate(MIXED, ['faster'], false);
    expect(builds).toEqual([[]]);
    expect(kept.path).toBe('int8-1');
  });
});
