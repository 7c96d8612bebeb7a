import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../../src/onnx/model-file.ts';
import { parseOpProfile, takeOpProfile } from '../../../src/runtime/op-profile.ts';
import { openSession } from '../../../src/runtime/session.ts';
import { chain } from '../../support/chain.ts';
import { node } from '../../support/graph-builder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

/** As version 1.30 writes them. */
const KERNEL = {
  cat: 'Node',
  ph: 'X',
  ts: 1816,
  dur: 78,
  name: 'relu_out_nchwc_kernel_time',
  args: {
    op_name: 'Conv',
    provider: 'CPUExecutionProvider',
    output_size: '50176',
    input_type_shape: [{ float: [1, 1, 28, 28] }, { float: [16, 1, 5, 5] }],
    output_type_shape: [{ float: [1, 16, 28, 28] }],
  },
};
const RUN = { cat: 'Session', ph: 'X', ts: 1800, dur: 101, name: 'model_run', args: {} };
const LOADING = { cat: 'Session', ph: 'X', ts: 2, dur: 340, name: 'model_loading_uri', args: {} };

describe('a profile of the runtime', () => {
  it('gives the kernels of each run, with times in nanoseconds', () => {
    const second = [
      { ...KERNEL, ts: 2000, dur: 60 },
      { ...RUN, ts: 1990, dur: 80 },
    ];
    const { runs } = unwrap(parseOpProfile(JSON.stringify([LOADING, KERNEL, RUN, ...second])));
    expect(runs).toEqual([
      {
        startNs: 1_800_000,
        durationNs: 101_000,
        calls: [
          {
            node: 'relu_out_nchwc',
            op: 'Conv',
            provider: 'CPUExecutionProvider',
            startNs: 1_816_000,
            durationNs: 78_000,
            outputBytes: 50_176,
            inputShapes: '[{"float":[1,1,28,28]},{"float":[16,1,5,5]}]',
            outputShapes: '[{"float":[1,16,28,28]}]',
          },
        ],
      },
      expect.objectContaining({ calls: [expect.objectContaining({ durationNs: 60_000 })] }),
    ]);
  });

  it('tolerates events without what it needs, and kernels that tell nothing but their name', () => {
    const bare = { cat: 'Node', ts: 1, dur: 2, name: 'a_kernel_time' };
    const { runs } = unwrap(
      parseOpProfile(JSON.stringify([{ ph: 'M' }, {}, bare, { ...bare, dur: 'long' }, RUN])),
    );
    expect(runs[0]?.calls).toEqual([
      {
        node: 'a',
        op: '',
        provider: '',
        startNs: 1000,
        durationNs: 2000,
        outputBytes: 0,
        inputShapes: '[]',
        outputShapes: '[]',
      },
    ]);
  });

  it('gives what the arena of each provider held at most, where the runtime tells it', () => {
    const holding = (provider: string, heldBytes: string) => ({
      ...KERNEL,
      args: { ...KERNEL.args, provider, mem_bytes_in_use: '1', mem_arena_held: heldBytes },
    });
    const events = [
      holding('CUDAExecutionProvider', '500'),
      holding('CPUExecutionProvider', '4096'),
      holding('CPUExecutionProvider', '9000'),
      holding('CPUExecutionProvider', '7000'),
      // As version 1.30 has it, of an arena that does hold something.
      holding('WebGpuExecutionProvider', '0'),
      RUN,
    ];
    expect(unwrap(parseOpProfile(JSON.stringify(events))).arenaBytes).toEqual({
      CPUExecutionProvider: 9000,
      CUDAExecutionProvider: 500,
    });
    expect(unwrap(parseOpProfile(JSON.stringify([KERNEL, RUN]))).arenaBytes).toEqual({});
  });

  it('gives the shaders that WebGPU ran, in the order of their beginning, for nodes of any name', () => {
    const shader = { cat: 'Api', ph: 'X', ts: 1830, dur: 40, name: 'relu&Relu&Relu', args: {} };
    const first = { ...shader, ts: 1820, dur: 7, name: 'a&b&MatMul&MatMulNaive' };
    const { dispatches } = unwrap(parseOpProfile(JSON.stringify([KERNEL, RUN, shader, first])));
    expect(dispatches).toEqual([
      { node: 'a&b', op: 'MatMul', shader: 'MatMulNaive', startNs: 1_820_000, durationNs: 7000 },
      { node: 'relu', op: 'Relu', shader: 'Relu', startNs: 1_830_000, durationNs: 40_000 },
    ]);
  });

  it.each(['', '{"traceEvents": []}', '[{"cat": '])('that is %j is a problem', (text) => {
    expect(parseOpProfile(text)).toMatchObject({ ok: false, error: { kind: 'profile-unreadable' } });
  });

  it('is found by the beginning of its path, and taken away', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'mine_2026-01-01.json'), JSON.stringify([RUN]));
    writeFileSync(join(folder, 'other.json'), '');
    expect(unwrap(await takeOpProfile(join(folder, 'mine_'))).runs).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['other.json']);
    expect(await takeOpProfile(join(folder, 'mine_'))).toMatchObject({
      ok: false,
      error: { kind: 'profile-unreadable' },
    });
  });

  it('of a session tells about the runs up to its end alone', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'model.onnx');
    const nodes = [
      node('Sqrt', ['x'], ['s'], {}, { name: 'root' }),
      node('Abs', ['s'], ['y'], {}, { name: 'abs' }),
    ];
    writeFileSync(path, unwrap(encodeModel(chain(13, nodes, [1, 4]))));
    const profilePrefix = join(folder, 'profile_');
    const session = unwrap(await openSession(path, { intraOpThreads: 1, profilePrefix }));
    const run = session.prepare({ x: { type: 'float32', dims: [1, 4], data: Float32Array.of(1, 4, 9, 16) } });
    for (let count = 0; count < 3; count++) await run();
    const { runs } = unwrap(await session.endProfile());
    await run();
    await session.close();
    expect(runs.map(({ calls }) => calls.map((call) => [call.node, call.op, call.outputBytes]))).toEqual(
      Array.from({ length: 3 }, () => [
        ['root', 'Sqrt', 16],
        ['abs', 'Abs', 16],
      ]),
    );
    expect(readdirSync(folder)).toEqual(['model.onnx']);
  });

  it('cannot be ended where none was begun', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    writeFileSync(path, unwrap(encodeModel(chain(13, [node('Abs', ['x'], ['y'])], [1]))));
    const session = unwrap(await openSession(path, { intraOpThreads: 1 }));
    await expect(session.endProfile()).rejects.toThrow('opened without profilePrefix');
    await session.close();
  });
});
