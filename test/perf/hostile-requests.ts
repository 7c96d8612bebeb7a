import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon } from '../support/daemon.ts';
import { attemptRequests } from '../support/hostile/attempt-requests.ts';
import { targetOf } from '../support/hostile/hostile-target.ts';
import { writeProfile } from '../support/program.ts';
import { type PerfRow, plainRow } from './perf-row.ts';

const COUNT = Number(process.env['PTQ_HOSTILE_REQUESTS'] ?? 10_000);
const SEED = Number(process.env['PTQ_HOSTILE_SEED'] ?? 1);
const CANARY = 'a canary that nobody may see';

/** Hostile requests to a daemon that works meanwhile, and what came of them. */
export async function hostileRequests(): Promise<readonly PerfRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-hostile-'));
  try {
    const [profiles, dataDir] = [join(folder, 'profiles'), join(folder, 'data')];
    writeProfile(profiles, 'digits');
    for (const path of [folder, profiles]) writeFileSync(join(path, 'canary'), CANARY);
    const daemon = await startDaemon(profiles, dataDir);
    const before = residentMiB(daemon.pid);
    const target = await targetOf(daemon, dataDir);
    const { attempts, answered, statuses, faults } = await attemptRequests(
      Number(new URL(daemon.url).port),
      target,
      {
        seed: SEED,
        count: COUNT,
        secrets: [CANARY, target.token, 'root:x:0'],
      },
    );
    const healthy = (await daemon.get('/-/healthy')).status;
    const after = residentMiB(daemon.pid);
    daemon.child.kill('SIGTERM');
    const { code } = await daemon.finished;
    const own = daemon
      .stderr()
      .split('\n')
      .filter((line) => /fault while answering|internal-fault/.test(line));
    const all = [
      ...faults,
      ...own,
      ...(healthy === 200 && code === 0
        ? []
        : [`healthy ${healthy}, ended with ${code}: ${daemon.stderr().slice(-600)}`]),
    ];
    const counts = [...statuses].sort((a, b) => a[0] - b[0]).map(([status, count]) => `${status}: ${count}`);
    return [
      plainRow(
        'requests',
        `sent, seed ${SEED}, to ${target.operations.length} operations`,
        `${attempts}, ${answered} answered`,
      ),
      plainRow('requests', 'statuses', counts.join(', ')),
      plainRow('daemon', 'resident before and after', `${before} MiB, ${after} MiB`),
      {
        subject: 'requests',
        figure: 'faults',
        value: String(all.length),
        target: '0',
        reached: all.length === 0,
      },
      ...all.slice(0, 50).map((fault) => plainRow('requests', 'fault', fault)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function residentMiB(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}
