import { type FSWatcher, mkdirSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '../../src/benchmark/random.ts';
import { DaemonLife, type Home } from './daemon-life.ts';
import { FolderInspector } from './data-folder.ts';
import { becomeSubreaper, type Descendant, descendants, reap } from './descendants.ts';
import { Ledger } from './ledger.ts';
import { lookAtQuietDaemon } from './quiet-daemon.ts';
import { TortureClient } from './torture-client.ts';

export type Victim = 'daemon' | 'everything' | 'worker' | 'sampler';

export interface KillReport {
  readonly seed: number;
  readonly seconds: number;
  readonly lives: number;
  readonly kills: Readonly<Record<Victim, number>>;
  /** Times at which nothing was killed until nothing was left to do, and all of it was looked at. */
  readonly quietLooks: number;
  readonly runs: Readonly<Record<string, number>>;
  readonly artifactsLoaded: number;
  readonly client: Readonly<Record<string, number>>;
  /** The longest that a process outlived the daemon that started it. */
  readonly longestOrphanMs: number;
  readonly wrong: readonly string[];
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** An empty folder. */
  readonly folder: string;
  readonly onProgress?: (line: string) => void;
}

const QUIET_EVERY_LIVES = 15;
const LONGEST_LIFE_MS = 5_000;
const LONGEST_BETWEEN_MS = 2_000;
const BOOT_MS = 1_500;
const LONGEST_WAIT_MS = 20_000;
const LONGEST_AFTER_SUCCESS_MS = 300;
const MOST_FILE_EVENTS = 60;
const ORPHAN_LIMIT_MS = 15_000;
const MOST_WRONG = 20;
const VICTIM_WAIT_MS = 3_000;

/**
 * Kills a daemon, its workers and its samplers at random instants while a client keeps it busy, and looks after every death whether
 * everything is as it must be.
 */
export async function killLoop({
  kills,
  seed,
  folder,
  onProgress = () => {},
}: KillOptions): Promise<KillReport> {
  becomeSubreaper();
  const home: Home = {
    profiles: join(folder, 'profiles'),
    dataDir: join(folder, 'data'),
    tmpDir: join(folder, 'tmp'),
    lockDir: join(folder, 'locks'),
    logFile: join(folder, 'daemon.log'),
  };
  for (const made of [home.tmpDir, home.lockDir]) mkdirSync(made, { recursive: true });
  const torture = new Torture(home, seededRandom(seed), onProgress);
  const startMs = performance.now();
  await torture.run(kills);
  return { seed, seconds: (performance.now() - startMs) / 1e3, ...torture.report() };
}

class Torture {
  readonly #home: Home;
  readonly #random: Random;
  readonly #onProgress: (line: string) => void;
  readonly #ledger = new Ledger();
  readonly #client: TortureClient;
  readonly #inspector: FolderInspector;
  readonly #kills: Record<Victim, number> = { daemon: 0, everything: 0, worker: 0, sampler: 0 };
  readonly #wrong: string[] = [];
  /** What earlier daemons left running, and since when. */
  readonly #orphans = new Map<number, { readonly command: string; readonly sinceMs: number }>();
  #lives = 0;
  #quietLooks = 0;
  #longestOrphanMs = 0;
  #runs: Readonly<Record<string, number>> = {};

  constructor(home: Home, random: Random, onProgress: (line: string) => void) {
    this.#home = home;
    this.#random = random;
    this.#onProgress = onProgress;
    this.#client = new TortureClient(home.profiles, random, this.#ledger);
    this.#inspector = new FolderInspector(home.dataDir);
  }

  report(): Omit<KillReport, 'seed' | 'seconds'> {
    return {
      lives: this.#lives,
      kills: this.#kills,
      quietLooks: this.#quietLooks,
      runs: this.#runs,
      artifactsLoaded: this.#inspector.artifactsLoaded,
      client: this.#client.done,
      longestOrphanMs: this.#longestOrphanMs,
      wrong: this.#wrong,
    };
  }

  async run(kills: number): Promise<void> {
    while (this.#killed < kills && this.#wrong.length < MOST_WRONG) {
      this.#client.changeProfiles();
      await this.#live(kills);
      await this.#examine();
      if (this.#lives % QUIET_EVERY_LIVES === 0) await this.#beQuiet();
      const { daemon, everything, worker, sampler } = this.#kills;
      this.#onProgress(
        `${this.#killed} kills (daemon ${daemon}, everything ${everything}, worker ${worker}, sampler ${sampler}), ` +
          `${this.#ledger.succeeded} results kept, ${this.#wrong.length} wrong`,
      );
    }
    await this.#beQuiet();
  }

  get #killed(): number {
    return Object.values(this.#kills).reduce((sum, count) => sum + count, 0);
  }

  /** From a start to the death of the daemon; its children may die before. */
  async #live(most: number): Promise<void> {
    this.#lives += 1;
    const life = new DaemonLife(this.#home);
    let isOver = false;
    const busy = this.#keepBusy(life, () => isOver || life.hasEnded);
    for (let left = most - this.#killed; left > 0; left -= 1) {
      const victim = left === 1 ? 'daemon' : this.#chooseVictim();
      const isLast = victim === 'daemon' || victim === 'everything';
      await (isLast ? this.#instant(life) : race(sleep(this.#random() * LONGEST_BETWEEN_MS), life.ended));
      if (life.hasEnded) {
        this.#note(`the daemon ended by itself: ${life.lastWords}`);
        break;
      }
      await this.#kill(victim, life);
      if (isLast) break;
      await this.#checkIsWell(life);
    }
    isOver = true;
    if (!life.hasEnded) life.signal('SIGKILL');
    await Promise.all([life.ended, busy]);
    for (const { pid, command } of descendants())
      this.#orphans.set(pid, { command, sinceMs: performance.now() });
    // The next daemon comes at once as often as when the last of its forerunner is gone.
    if (this.#random() < 0.5) await this.#outwaitOrphans();
  }

  async #keepBusy(life: DaemonLife, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await sleep(30 + this.#random() * 250);
      if (life.isListening) await this.#client.act(life).catch((error: Error) => this.#note(error.message));
      for (const wrong of this.#client.wrong.splice(0)) this.#note(wrong);
    }
  }

  /** Waits for the moment to kill the daemon: some time, a part of the start, shortly after a run has succeeded, or a change of some file. */
  async #instant(life: DaemonLife): Promise<void> {
    const chance = this.#random();
    if (chance < 0.15) return race(sleep(this.#random() * BOOT_MS), life.ended);
    if (chance < 0.5) return race(sleep(this.#random() * LONGEST_LIFE_MS), life.ended);
    if (chance < 0.7) {
      await race(life.nextSuccess(), sleep(LONGEST_WAIT_MS), life.ended);
      return race(sleep(this.#random() ** 2 * LONGEST_AFTER_SUCCESS_MS), life.ended);
    }
    const events = 1 + Math.floor(this.#random() * MOST_FILE_EVENTS);
    const longest = sleep(LONGEST_LIFE_MS);
    return race(this.#fileEvents(events), Promise.race([longest, life.ended]));
  }

  /** Resolves in the middle of the change of a file, as near as the kernel tells of it. */
  #fileEvents(count: number): Promise<void> {
    const watchers: FSWatcher[] = [];
    return new Promise((resolve) => {
      let left = count;
      const onEvent = () => {
        left -= 1;
        if (left > 0) return;
        for (const watcher of watchers) watcher.close();
        resolve();
      };
      const { dataDir } = this.#home;
      mkdirSync(dataDir, { recursive: true });
      const folders = readdirSync(dataDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      for (const folder of [dataDir, ...folders.map(({ name }) => join(dataDir, name))])
        watchers.push(watch(folder, onEvent).on('error', () => {}));
    });
  }

  #chooseVictim(): Victim {
    const chance = this.#random();
    if (chance < 0.25) return 'daemon';
    if (chance < 0.33) return 'everything';
    return chance < 0.75 ? 'worker' : 'sampler';
  }

  async #kill(victim: Victim, life: DaemonLife): Promise<void> {
    if (victim === 'daemon') life.signal('SIGKILL');
    else if (victim === 'everything') {
      for (const { pid } of [{ pid: life.pid }, ...descendants()]) killNow(pid);
    } else {
      const chosen = await this.#childOf(life, victim === 'worker' ? 'worker-main' : 'sampler-main');
      if (chosen === undefined) return;
      killNow(chosen.pid);
    }
    this.#kills[victim] += 1;
  }

  async #childOf(life: DaemonLife, entry: string): Promise<Descendant | undefined> {
    const deadlineMs = performance.now() + VICTIM_WAIT_MS;
    while (performance.now() < deadlineMs && !life.hasEnded) {
      const children = descendants().filter(
        ({ pid, command }) => command.includes(entry) && !this.#orphans.has(pid),
      );
      if (children.length > 0) return children[Math.floor(this.#random() * children.length)];
      await sleep(5);
    }
    return undefined;
  }

  async #checkIsWell(life: DaemonLife): Promise<void> {
    if (!life.isListening) return;
    const answer = await life.ask('GET', '/-/healthy').catch((error: Error) => this.#note(error.message));
    if (life.hasEnded) this.#note(`the daemon died with its child: ${life.lastWords}`);
    else if (answer?.status !== 200) this.#note(`the daemon is not healthy: ${answer?.status}`);
  }

  /** With the daemon dead: nothing that was finished may be lost, and nothing be half. */
  async #examine(): Promise<void> {
    const { runs, wrong } = await this.#inspector.inspect();
    for (const found of [...wrong, ...this.#ledger.compare(runs)]) this.#note(found);
    this.#runs = countBy(runs.map(({ state }) => state));
    this.#watchOrphans();
  }

  #watchOrphans(): void {
    const living = new Set(descendants().map(({ pid }) => pid));
    for (const [pid, { command, sinceMs }] of this.#orphans) {
      const ageMs = performance.now() - sinceMs;
      if (!living.has(pid)) {
        reap([pid]);
        this.#orphans.delete(pid);
      } else if (ageMs > ORPHAN_LIMIT_MS) {
        this.#note(`an orphan still runs after ${Math.round(ageMs)} ms: ${command}`);
        killNow(pid);
      }
      if (living.has(pid)) this.#longestOrphanMs = Math.max(this.#longestOrphanMs, Math.round(ageMs));
    }
  }

  async #outwaitOrphans(): Promise<void> {
    while (this.#orphans.size > 0) {
      this.#watchOrphans();
      await sleep(20);
    }
  }

  /** Lets a daemon come to rest, and looks at everything. */
  async #beQuiet(): Promise<void> {
    this.#lives += 1;
    this.#quietLooks += 1;
    const life = new DaemonLife(this.#home);
    await this.#outwaitOrphans();
    const look = await lookAtQuietDaemon(life, this.#home, this.#inspector, this.#ledger);
    for (const found of look) this.#note(found);
    life.signal('SIGTERM');
    const { code } = await life.ended;
    if (code !== 0) this.#note(`a graceful stop ended with ${code}: ${life.lastWords}`);
    const left = descendants();
    if (left.length > 0)
      this.#note(`left running after a graceful stop: ${left.map(({ command }) => command)}`);
    await this.#examine();
  }

  #note(wrong: string): void {
    const line = `life ${this.#lives}, kill ${this.#killed}: ${wrong}`;
    this.#wrong.push(line);
    this.#onProgress(`WRONG ${line}`);
  }
}

function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

async function race(...promises: readonly Promise<unknown>[]): Promise<void> {
  await Promise.race(promises);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
