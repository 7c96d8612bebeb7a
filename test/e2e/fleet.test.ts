import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCpuShare } from '../support/cpu-share.ts';
import { startDaemon, until } from '../support/daemon.ts';
import {
  makeNetwork,
  type Network,
  type NetworkHost,
  reasonWithoutNamespaces,
} from '../support/network-namespaces.ts';
import { isBuilt, runProgram, startProgram, writeProfile } from '../support/program.ts';
import { freePort, hasPrometheus, runPrometheus } from '../support/prometheus.ts';
import { ALERTS } from '../support/promtool.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const missing = !isBuilt
  ? '`npm run build` was not run'
  : !hasPrometheus
    ? 'there is no Prometheus'
    : reasonWithoutNamespaces();

interface Status {
  readonly agents: readonly {
    readonly agent: string;
    readonly state: string;
    readonly running?: object;
    readonly waiting?: number;
    readonly verdicts?: object;
  }[];
}

/** A daemon on each host. */
async function startFleet(hosts: readonly NetworkHost[], folder: string, tokenFile: string) {
  const profiles = join(folder, 'profiles');
  mkdirSync(profiles);
  writeProfile(profiles, 'tiny');
  const daemons = await Promise.all(
    hosts.map(({ address, within }, at) =>
      startDaemon(profiles, join(folder, `data-${at}`), {
        listen: `${address}:9477`,
        args: ['--token-file', tokenFile],
        within,
      }),
    ),
  );
  for (const { child, finished } of daemons) {
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await finished;
    });
  }
  return daemons;
}

/** Has `fleet sd` list the agents for Prometheus; gives where. */
async function startDiscovery({ hosts, within }: Network, folder: string): Promise<string> {
  const targets = join(folder, 'agents.json');
  const groups = hosts.map(({ address }, at) => ({
    targets: [`${address}:9477`],
    labels: { instance: `host-${at + 1}` },
  }));
  writeFileSync(targets, JSON.stringify(groups));
  const words = ['fleet', 'sd', '--targets', targets, '--listen', `127.0.0.1:${await freePort()}`];
  const discovery = startProgram(words, undefined, {}, within);
  onTestFinished(async () => {
    discovery.child.kill('SIGTERM');
    await discovery.finished;
  });
  return until(() => /list of agents is at (\S+)/.exec(discovery.stderr())?.[1]);
}

/** The rules that say that an agent is down, without their patience of five minutes. */
function impatientRules(folder: string): string {
  const file = join(folder, 'agents.yaml');
  writeFileSync(file, readFileSync(join(ALERTS, 'agents.yaml'), 'utf8').replaceAll('for: 5m', 'for: 1s'));
  return file;
}

const title = `a fleet of three hosts${missing === undefined ? '' : ` (skipped: ${missing})`}`;

describe.skipIf(missing !== undefined)(title, () => {
  it('is found by HTTP service discovery; one that is slow is named, and one that is cut off shows as such', async () => {
    const folder = temporaryFolder();
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'a-token-for-the-whole-fleet', { mode: 0o600 });
    const network = makeNetwork(3);
    const { hosts, within } = network;
    // So little that a busy machine gives the others more.
    const slowDown = makeCpuShare(0.06);
    const [, , third] = await startFleet(hosts, folder, tokenFile);
    const prometheus = await runPrometheus(
      join(folder, 'prometheus'),
      {
        rule_files: [impatientRules(folder)],
        scrape_configs: [
          {
            job_name: 'ptq-agent',
            http_sd_configs: [{ url: await startDiscovery(network, folder), refresh_interval: '1s' }],
            authorization: { credentials_file: tokenFile },
          },
        ],
      },
      within,
    );
    onTestFinished(prometheus.stop);
    const instancesOf = async (selector: string) =>
      (await prometheus.series(selector)).map(({ instance }) => instance).sort();
    const allUp = async () => (await instancesOf('up{job="ptq-agent"} == 1')).length === 3 || undefined;
    await until(allUp);
    expect(await instancesOf('up{job="ptq-agent"} == 1')).toEqual(['host-1', 'host-2', 'host-3']);

    const fleet = (...words: readonly string[]) => {
      const options = ['--prometheus', prometheus.url, '--token-file', tokenFile];
      return runProgram(['fleet', ...words, ...options], undefined, within);
    };
    // Each daemon works through its model when it starts; benchmarks of one machine wait for each other.
    const worked = await until(async () => {
      const { stdout } = await fleet('status', '--json');
      const { agents } = JSON.parse(stdout) as Status;
      const isDone = agents.every(
        ({ running, waiting, verdicts = {} }) =>
          running === undefined && waiting === 0 && Object.keys(verdicts).length > 0,
      );
      return isDone ? agents : undefined;
    });
    expect(worked.map(({ agent, state }) => `${agent} ${state}`).sort()).toEqual([
      'host-1 ready',
      'host-2 ready',
      'host-3 ready',
    ]);
    if (slowDown !== undefined && third !== undefined) {
      slowDown(third.pid);
      const benched = await fleet('bench', 'tiny', '--variants', 'int8', '--duration', '300ms', '-q');
      expect(benched).toMatchObject({ code: 1, stderr: '' });
      expect(benched.stdout).toMatch(/^slower: host-3, in \d of 2 measurements$/m);
    }

    hosts[1]?.setLink('down');
    await until(async () => (await instancesOf('up == 0')).length > 0 || undefined);
    const firing = 'ALERTS{alertname="PtqAgentDown", alertstate="firing"}';
    await until(async () => (await instancesOf(firing)).length > 0 || undefined);
    expect(await instancesOf(firing)).toEqual(['host-2']);
    const cut = await fleet('status', '--timeout', '2s');
    expect(cut).toMatchObject({ code: 1, stderr: '' });
    expect(cut.stdout).toMatch(/^host-2 is unreachable: no daemon answers at http:\/\/198\.51\.100\.6:9477/m);
    expect(cut.stdout).toMatch(/^host-2: Prometheus cannot scrape it: /m);
    expect(cut.stdout).toMatch(/^2 of 3 agents are ready$/m);

    hosts[1]?.setLink('up');
    await until(allUp);
    expect((await fleet('status')).code).toBe(0);
  }, 300_000);
});
