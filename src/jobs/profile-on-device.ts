import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../core/device.ts';
import { ProblemError, problem } from '../core/problem.ts';
import type { NamedTensors } from '../core/tensor.ts';
import { type NodePlacement, nodesByProvider, PROVIDER_OF } from '../runtime/nodes-by-provider.ts';
import { openSession } from '../runtime/session.ts';
import { generateFeeds } from './generated-feeds.ts';
import { unwrap } from './unwrap.ts';

/** The first run compiles shaders and plans memory; the second is like all that follow. */
const RUNS = 2;

export interface ProfiledDevice {
  readonly device: Device;
  readonly intraOpThreads: number;
  /** What to run the model with; made up where it is absent. */
  readonly feeds?: NamedTensors;
}

/** What the profile of a session tells besides times. */
export interface DeviceProfile {
  readonly placement: NodePlacement;
  /** What the arena of the device's provider had from the system at most; null where the runtime does not tell. */
  readonly arenaBytes: number | null;
}

/**
 * Which providers run the nodes of a model on a device, and what memory that takes, from the profile of a session of its own. Runs in
 * a worker process, and for WebGPU in the thread that has the other sessions. Throws `ProblemError`: what loading and running a
 * model can report, `feeds-needed` for models whose inputs cannot be made up.
 */
export async function profileOnDevice(
  modelPath: string,
  { device, intraOpThreads, feeds }: ProfiledDevice,
): Promise<DeviceProfile> {
  const folder = await mkdtemp(join(tmpdir(), 'ptq-agent-'));
  try {
    const profilePrefix = join(folder, 'profile-');
    const session = unwrap(await openSession(modelPath, { device, intraOpThreads, profilePrefix }));
    try {
      const run = session.prepare(feeds ?? generateFeeds(session.inputs) ?? feedsNeeded(modelPath));
      for (let count = 0; count < RUNS; count++) await run();
      const profile = unwrap(await session.endProfile());
      return {
        placement: nodesByProvider(profile, device),
        arenaBytes: profile.arenaBytes[PROVIDER_OF[device]] ?? null,
      };
    } finally {
      await session.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function feedsNeeded(file: string): never {
  throw new ProblemError(
    problem('feeds-needed', 'the model takes texts, which cannot be made up', {
      place: { file },
      hint: 'give data with --data',
    }),
  );
}
