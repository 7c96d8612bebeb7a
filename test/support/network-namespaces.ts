import { spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

/** A network of its own: hosts that reach the one in the middle, and nothing that reaches this machine's network or the internet. */
export interface Network {
  /** The words before a command that runs on the host in the middle. */
  readonly within: readonly string[];
  readonly hosts: readonly NetworkHost[];
}

export interface NetworkHost {
  readonly address: string;
  /** The words before a command that runs there. */
  readonly within: readonly string[];
  /** Pulls the cable, or puts it in. */
  readonly setLink: (state: 'up' | 'down') => void;
}

function ip(...words: readonly string[]): { readonly ok: boolean; readonly text: string } {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  return { ok: status === 0, text: stderr ?? '' };
}

/** Why there can be no network namespaces here; undefined where there can. */
export function reasonWithoutNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root makes network namespaces';
  if (spawnSync('nsenter', ['--version']).error !== undefined) return 'nsenter is not installed';
  const name = nameOf('probe');
  const made = ip('netns', 'add', name);
  const linked = made.ok
    ? ip('-n', name, 'link', 'add', 'ptq0', 'type', 'veth', 'peer', 'name', 'ptq1')
    : made;
  ip('netns', 'del', name);
  return linked.ok ? undefined : `ip makes no namespaces or links: ${linked.text.trim() || 'not installed'}`;
}

/** A network with so many hosts around one in the middle, until the test is over. */
export function makeNetwork(count: number): Network {
  const middle = nameOf('middle');
  addNamespace(middle);
  const hosts = Array.from({ length: count }, (_, at) => {
    const name = nameOf(`host-${at}`);
    addNamespace(name);
    const link = `link-${at}`;
    // Documentation's own addresses (RFC 5737).
    const [ours, theirs] = [`198.51.100.${4 * at + 1}`, `198.51.100.${4 * at + 2}`];
    run('-n', middle, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    run('-n', middle, 'addr', 'add', `${ours}/30`, 'dev', link);
    run('-n', middle, 'link', 'set', link, 'up');
    run('-n', name, 'addr', 'add', `${theirs}/30`, 'dev', 'eth0');
    run('-n', name, 'link', 'set', 'eth0', 'up');
    const setLink: NetworkHost['setLink'] = (state) => run('-n', name, 'link', 'set', 'eth0', state);
    return { address: theirs, within: enter(name), setLink };
  });
  return { within: enter(middle), hosts };
}

function nameOf(what: string): string {
  return `ptq-test-${process.pid}-${what}`;
}

function enter(name: string): readonly string[] {
  return ['nsenter', `--net=/run/netns/${name}`];
}

function addNamespace(name: string): void {
  run('netns', 'add', name);
  onTestFinished(() => void ip('netns', 'del', name));
  run('-n', name, 'link', 'set', 'lo', 'up');
}

function run(...words: readonly string[]): void {
  const done = ip(...words);
  if (!done.ok) throw new Error(`ip ${words.join(' ')}: ${done.text}`);
}
