import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../../src/core/log.ts';
import { attemptAsync } from '../../../../src/core/problem.ts';
import {
  explainVariants,
  latestSensitivity,
  sensitivityIn,
} from '../../../../src/jobs/explain/explain-variants.ts';
import type { PipelineDeps, PlannedExplanation, RunContext } from '../../../../src/jobs/run-context.ts';
import { sensitivityFile } from '../../../../src/jobs/run-files.ts';
import type { WorkerControls } from '../../../../src/jobs/worker-process.ts';
import type { Run } from '../../../../src/store/runs.ts';
import { openStore, type Store } from '../../../../src/store/store.ts';
import { fakeWorker } from '../../../support/fake-worker.ts';
import { profileOf } from '../../../support/profile.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const [RUN_1, RUN_2, RUN_3, RUN_4] = [1, 2, 3, 4].map((of) => `01M83MHX4BNBFSWHZ8PWNPP7Q${of}`) as [
  string,
  string,
  string,
  string,
];
const KNOWN = { artifact: 'a', run: 'r', samples: 1, simulatedSqnrDb: 30, nodes: [] };

const BESIDES: PlannedExplanation = { samples: 5, timeLimitSeconds: 60, isOrdered: false };
const ORDERED: PlannedExplanation = { ...BESIDES, isOrdered: true };

/** A run that explains artifacts of these names, each of a variant of the same name. */
function running(explain: PlannedExplanation | undefined, ...names: readonly string[]) {
  const store: Store = unwrap(openStore(temporaryFolder()));
  const worker = fakeWorker();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const begin = (runId: string, how = explain, controls: WorkerControls = {}) =>
    explainVariants(
      {
        runId,
        profile: profileOf('tiny'),
        plan: { evaluate: false, suites: [], threads: 1, ...(how === undefined ? {} : { explain: how }) },
        deps: { store, logger } as unknown as PipelineDeps,
        host: { entry: worker.entry },
      } as unknown as RunContext,
      names.map((name) => ({ variant: name, path: `/artifacts/${name}.onnx` })),
      controls,
    );
  /** Ends a full run with what is known then. */
  const keep = async (found: Awaited<ReturnType<typeof begin>>) => {
    const { id } = store.createRun({ kind: 'pipeline', model: 'tiny', request: {} });
    store.startRun(id);
    const variants = [...found].map(([variant, sensitivity]) => ({ variant, sensitivity }));
    store.finishRun(id, { variants });
  };
  return { store, begin, keep, warnings, asked: () => worker.requests().length };
}

describe('explainVariants', () => {
  it('tells the costliest nodes in short, and leaves the whole in the folder of the run', async () => {
    const { store, begin } = running({ ...BESIDES, top: 3 }, 'int8');
    const found = await begin(RUN_1);
    expect(found.get('int8')).toMatchObject({
      artifact: 'int8',
      run: RUN_1,
      samples: 5,
      simulatedSqnrDb: 30,
    });
    expect(
      found
        .get('int8')
        ?.nodes.map(({ node, aloneSqnrDb }) => [node, aloneSqnrDb])
        .slice(1, 4),
    ).toEqual([
      ['conv1', 1],
      ['conv2', 2],
      ['conv3', null],
    ]);
    expect(found.get('int8')?.nodes).toHaveLength(8);
    const whole = readFileSync(sensitivityFile(store.runDirectory(RUN_1), 'int8'), 'utf8');
    expect(JSON.parse(whole)).toMatchObject({ measured: { alone: 3, of: 9 } });
  });

  it('explains an artifact once besides other work, and again where it is ordered or what is known is gone', async () => {
    const { store, begin, keep, asked } = running(BESIDES, 'int8');
    const first = await begin(RUN_1);
    await keep(first);
    expect([await begin(RUN_2), asked()]).toEqual([first, 1]);
    expect([(await begin(RUN_3, ORDERED)).get('int8')?.run, asked()]).toEqual([RUN_3, 2]);
    rmSync(store.runDirectory(RUN_1), { recursive: true });
    expect([(await begin(RUN_4)).get('int8')?.run, asked()]).toEqual([RUN_4, 3]);
  });

  it('takes what fails for a warning besides other work, and goes on', async () => {
    const { store, begin, warnings } = running(BESIDES, 'refuse', 'float', 'int8');
    expect([...(await begin(RUN_1)).keys()]).toEqual(['int8']);
    expect(warnings).toEqual([
      'the variant cannot be explained: this is no model',
      "the variant cannot be explained: no node of the variant 'float' is quantized",
    ]);
    expect(existsSync(sensitivityFile(store.runDirectory(RUN_1), 'float'))).toBe(false);
  });

  it('fails where it was ordered and nothing can be explained, with what came first', async () => {
    const { begin } = running(ORDERED, 'float', 'refuse');
    expect(await attemptAsync(() => begin(RUN_1))).toMatchObject({
      ok: false,
      error: { kind: 'explain-not-possible' },
    });
    expect([...(await running(ORDERED, 'refuse', 'int8').begin(RUN_1)).keys()]).toEqual(['int8']);
    expect(await running(BESIDES, 'float').begin(RUN_1)).toEqual(new Map());
  });

  it('ends with the run, and does nothing where nothing is planned', async () => {
    const abort = new AbortController();
    const { begin, asked } = running(BESIDES, 'wait', 'int8');
    const ended = attemptAsync(() =>
      begin(RUN_1, BESIDES, { signal: abort.signal, onEvent: () => abort.abort() }),
    );
    expect(await ended).toMatchObject({ ok: false, error: { kind: 'cancelled' } });
    expect(asked()).toBe(1);
    const idle = running(undefined, 'int8');
    expect([await idle.begin(RUN_1), idle.asked()]).toEqual([new Map(), 0]);
  });
});

describe('latestSensitivity', () => {
  const storeWith = (...runs: readonly object[]) => ({
    listRuns: () =>
      runs.map((sensitivity) => ({ result: { variants: [{ variant: 'int8', sensitivity }] } }) as Run),
  });
  const full = (artifact: string, more: object = {}) => ({
    variants: [{ variant: 'int8', quantization: { output: `/data/${artifact}.onnx` }, ...more }],
  });
  const of = (ofFullRun: unknown, ...runs: readonly object[]) =>
    latestSensitivity('tiny', ['fp32', 'int8'], ofFullRun, storeWith(...runs));

  it('takes the newest that is about the artifact of the last full run', () => {
    const [older, newer, other] = [
      { ...KNOWN, run: '01' },
      { ...KNOWN, run: '02' },
      { ...KNOWN, run: '03', artifact: 'b' },
    ];
    expect(of(full('a', { sensitivity: older }), other, newer).get('int8')).toEqual(newer);
    expect(of(full('a', { sensitivity: newer }), older).get('int8')).toEqual(newer);
    expect(of(full('b'), newer, older).size).toBe(0);
  });

  it('takes what there is where no full run used the variant', () => {
    expect(of(undefined, { ...KNOWN, run: '02' }, { ...KNOWN, run: '01' }).get('int8')?.run).toBe('02');
    expect(of(undefined).size).toBe(0);
  });
});

describe('sensitivityIn', () => {
  it('finds what a result says of a variant', () => {
    const result = { variants: [{ variant: 'fp32' }, { variant: 'int8', sensitivity: KNOWN }] };
    expect(sensitivityIn(result, 'int8')).toEqual(KNOWN);
    expect(sensitivityIn(result, 'fp32')).toBeUndefined();
  });

  it('takes results of other versions, whatever their shape', () => {
    for (const result of [
      undefined,
      null,
      {},
      { variants: 3 },
      { variants: [null, { variant: 'int8', sensitivity: 3 }] },
    ]) {
      expect(sensitivityIn(result, 'int8')).toBeUndefined();
    }
  });
});
