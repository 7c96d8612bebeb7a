import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  NodeNvidiaSmiBackend,
  type QueryNvidiaSmi,
} from '../../../../../src/telemetry/collectors/gpu/smi/node-nvidia-smi-backend.ts';
import { type FakeSmiState, installFakeSmi } from '../../../../support/fake-nvidia-smi/install-fake-smi.ts';
import { fixtureHost } from '../../host-tree.ts';

const XML =
  '<nvidia_smi_log><driver_version>570.1</driver_version><gpu id="1"><uuid>GPU-1</uuid><product_name>A</product_name><utilization><gpu_util>7 %</gpu_util></utilization><processes><process_info><pid>17</pid><used_memory>1 MiB</used_memory></process_info></processes></gpu></nvidia_smi_log>';
const WORKS: FakeSmiState = { gpus: [], offered: [], xml: XML };

describe('node-nvidia-smi', () => {
  it('tells what the package reads, with our processes', async () => {
    const outcome = await settled(inPath(WORKS), [17, 18]);
    expect(outcome).toEqual({
      ok: true,
      value: {
        backend: 'node-nvidia-smi',
        driverVersion: '570.1',
        gpus: [
          {
            uuid: 'GPU-1',
            index: 0,
            name: 'A',
            pciBusId: '1',
            state: 'ok',
            utilizationRatio: 0.07,
            processes: [{ pid: 17, usedBytes: 2 ** 20 }],
          },
        ],
      },
    });
  });

  it.each([
    [{ exit: 6, stdout: 'No devices were found' }, 'absent', /finds no GPU/],
    [{ exit: 9 }, 'unreadable', /not loaded/],
    [{ exit: 18 }, 'unreadable', /of different versions/],
    [{ exit: 255 }, 'unreadable', /status 255/],
    [{ exit: 127 }, 'absent', /not installed/],
    [{ exit: 0, stdout: '<half' }, 'malformed', /no XML/],
    [{ exit: 0 }, 'malformed', /no such document/],
    [{ stderr: 'a warning' }, 'unreadable', /printed no answer. It says: a warning/],
  ])('says why there is none: %o', async (fault, kind, message) => {
    expect(await settled(inPath({ ...WORKS, fault }))).toMatchObject({
      ok: false,
      error: { kind, message: expect.stringMatching(message) },
    });
  });

  it('is absent where nvidia-smi is not installed', () => {
    vi.stubEnv('PATH', '/nowhere');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(new NodeNvidiaSmiBackend().read(fixtureHost, [])).toMatchObject({ error: { kind: 'absent' } });
  });

  it('is not waited for for ever, nor asked again while it hangs', () => {
    const { backend, clock, queries } = byHand();
    expect(backend.read(fixtureHost, [])).toMatchObject({ error: { isStarting: true } });
    clock.seconds = 31;
    const late = { error: { kind: 'unreadable', message: 'nvidia-smi -q -x gave no answer within 30 s.' } };
    expect(backend.read(fixtureHost, [])).toMatchObject(late);
    expect(backend.read(fixtureHost, [])).toMatchObject(late);
    expect(queries).toHaveLength(1);
    // The answer that comes in the end is taken.
    queries[0]?.(null, { nvidia_smi_log: { gpu: { uuid: 'GPU-1' } } });
    expect(backend.read(fixtureHost, [])).toMatchObject({ value: { gpus: [{ uuid: 'GPU-1' }] } });
  });

  it('is asked at most every five seconds, and for at most a tenth of the time', () => {
    const { backend, clock, queries } = byHand();
    const answer = () => queries.at(-1)?.(null, { nvidia_smi_log: { gpu: { uuid: 'GPU-1' } } });
    backend.read(fixtureHost, []);
    answer();
    clock.seconds = 4.9;
    expect(backend.read(fixtureHost, []).ok).toBe(true);
    expect(queries).toHaveLength(1);
    clock.seconds = 5;
    backend.read(fixtureHost, []);
    expect(queries).toHaveLength(2);
    clock.seconds = 8;
    answer();
    clock.seconds = 34;
    backend.read(fixtureHost, []);
    expect(queries).toHaveLength(2);
    clock.seconds = 35;
    backend.read(fixtureHost, []);
    expect(queries).toHaveLength(3);
  });

  it('does not show an answer that is too old', () => {
    const { backend, clock, queries } = byHand();
    backend.read(fixtureHost, []);
    queries[0]?.(null, { nvidia_smi_log: { gpu: { uuid: 'GPU-1' } } });
    clock.seconds = 11;
    expect(backend.read(fixtureHost, [])).toMatchObject({ error: { message: /stopped answering/ } });
  });
});

function inPath(state: FakeSmiState): NodeNvidiaSmiBackend {
  vi.stubEnv('PATH', `${installFakeSmi(state).folder}:${process.env['PATH']}`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return new NodeNvidiaSmiBackend();
}

function settled(backend: NodeNvidiaSmiBackend, watchedPids: readonly number[] = []) {
  return vi.waitFor(
    () => {
      const outcome = backend.read(fixtureHost, watchedPids);
      if (!outcome.ok && outcome.error.isStarting) throw new Error('not yet');
      return outcome;
    },
    { timeout: 15_000, interval: 20 },
  );
}

/** With a clock and answers by hand; an nvidia-smi is in the path. */
function byHand() {
  inPath(WORKS);
  const queries: Parameters<QueryNvidiaSmi>[0][] = [];
  const clock = { seconds: 0 };
  const backend = new NodeNvidiaSmiBackend({
    query: (done) => {
      queries.push(done);
    },
    clock: { nowNs: () => BigInt(Math.round(clock.seconds * 1e9)), wallMs: () => 0 },
  });
  return { backend, clock, queries };
}
