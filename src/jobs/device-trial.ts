import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { secondsBetween } from '../core/clock.ts';
import type { Device } from '../core/device.ts';
import { ProblemError, problem } from '../core/problem.ts';
import { DATA_TYPE, type ValueInfoProto } from '../onnx/messages.ts';
import { encodeModel } from '../onnx/model-file.ts';
import { nodesByProvider } from '../runtime/nodes-by-provider.ts';
import { openSession } from '../runtime/session.ts';
import { unwrap } from './unwrap.ts';

/** Try whether a device computes, with a model of one node. */
export interface DeviceTrialTask {
  readonly kind: 'device-trial';
  readonly device: Device;
}

/** A device that computed what it should. */
export interface DeviceTrial {
  readonly device: Device;
  /** To load the model, with the start of the device. */
  readonly openSeconds: number;
  /** The first run, which compiles what the device runs. */
  readonly firstRunSeconds: number;
}

/**
 * Multiplies a small matrix with itself on a device. Runs in a worker process, as a driver may hang or abort it.
 * Throws `ProblemError`: what opening a session can report, and `device-unavailable` where the product is wrong or
 * another device computed it.
 */
export async function tryDevice(
  { device }: DeviceTrialTask,
  { clock }: { readonly clock: Clock },
): Promise<DeviceTrial> {
  const folder = await mkdtemp(join(tmpdir(), 'ptq-agent-'));
  try {
    const path = join(folder, 'square.onnx');
    await writeFile(path, squareModel());
    const settings = { device, intraOpThreads: 1, profilePrefix: join(folder, 'profile-') };
    const startNs = clock.nowNs();
    const session = unwrap(await openSession(path, settings));
    try {
      const openedNs = clock.nowNs();
      const { y } = await session.run({
        x: { type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      });
      const ranNs = clock.nowNs();
      if (y?.data.join() !== '7,10,15,22') throw notWorking(device, `it computes ${y?.data} for 7,10,15,22`);
      const { fellBack } = nodesByProvider(unwrap(await session.endProfile()), device);
      if (fellBack[0] !== undefined)
        throw notWorking(device, `${fellBack[0].provider} computed in its place`);
      return {
        device,
        openSeconds: secondsBetween(startNs, openedNs),
        firstRunSeconds: secondsBetween(openedNs, ranNs),
      };
    } finally {
      await session.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function notWorking(device: Device, reason: string) {
  return new ProblemError(
    problem('device-unavailable', `the device ${device} does not work: ${reason}`, {
      hint: 'update its driver',
    }),
  );
}

/** y = x · x for matrices of two rows and columns. */
function squareModel(): Uint8Array {
  const matrix = (name: string): ValueInfoProto => ({
    name,
    type: {
      tensorType: { elemType: DATA_TYPE.float, shape: { dim: [{ dimValue: 2 }, { dimValue: 2 }] } },
    },
    metadataProps: [],
  });
  const product = {
    opType: 'MatMul',
    name: 'square',
    input: ['x', 'x'],
    output: ['y'],
    attribute: [],
    metadataProps: [],
    deviceConfigurations: [],
  };
  return unwrap(
    encodeModel({
      path: undefined,
      proto: {
        irVersion: 8,
        opsetImport: [{ domain: '', version: 13 }],
        graph: {
          name: 'square',
          node: [product],
          initializer: [],
          sparseInitializer: [],
          input: [matrix('x')],
          output: [matrix('y')],
          valueInfo: [],
          quantizationAnnotation: [],
          metadataProps: [],
        },
        metadataProps: [],
        trainingInfo: [],
        functions: [],
        configuration: [],
      },
    }),
  );
}
