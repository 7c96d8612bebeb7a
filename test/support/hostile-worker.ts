import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ConfinedEntry } from '../../src/jobs/confinement/confined-entry.ts';
import { DEFAULT_LIMITS, type WorkerLimits } from '../../src/jobs/confinement/worker-limits.ts';

/*
 * A worker that does what it is told by the name of its model, `<deed>:<argument>`, and answers with what came of it: `{ done }`, or
 * `{ code }` of the error. It is what a model would be that had taken the process over, as far as JavaScript can be that.
 */
const SCRIPT = String.raw`
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import * as fs from 'node:fs';
import { connect } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const events = (emitter, good) => new Promise((resolve, reject) => {
  emitter.on(good, () => resolve(good));
  emitter.on('error', reject);
});
const kept = [];
const DEEDS = {
  read: (file) => fs.readFileSync(file).length,
  readInPool: async (file) => (await fs.promises.readFile(file)).length,
  readInThread: (file) => new Promise((resolve, reject) => {
    const thread = new Worker('require("node:fs").readFileSync(' + JSON.stringify(file) + ')', { eval: true });
    thread.on('error', reject);
    thread.on('exit', resolve);
  }),
  list: (folder) => fs.readdirSync(folder).length,
  write: (file) => fs.writeFileSync(file, 'x'),
  append: (file) => fs.appendFileSync(file, 'x'),
  cut: (file) => fs.truncateSync(file),
  remove: (file) => fs.rmSync(file),
  link: (target) => fs.symlinkSync(target, join(process.env.TMPDIR, 'link')),
  temporary: () => { fs.writeFileSync(join(process.env.TMPDIR, 'left'), 'x'); return process.env.TMPDIR; },
  connect: (port) => events(connect(Number(port), '127.0.0.1'), 'connect'),
  connectLocally: (path) => events(connect(path), 'connect'),
  datagram: () => new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.on('error', reject);
    socket.bind(0, resolve);
  }),
  start: (program) => events(spawn(program), 'spawn'),
  signal: (pid) => process.kill(Number(pid), 'SIGTERM'),
  signalOneself: () => process.kill(process.pid, 0),
  open: () => { for (let i = 0; i < 100_000; i++) kept.push(fs.openSync('/proc/self/status')); },
  fill: () => {
    const file = fs.openSync(join(process.env.TMPDIR, 'large'), 'w');
    for (let i = 0; i < 200; i++) fs.writeSync(file, Buffer.alloc(1e6));
  },
  grow: async () => { for (;;) { kept.push(Buffer.alloc(32e6, 1)); await new Promise((go) => setTimeout(go, 5)); } },
  allocate: (bytes) => new Uint8Array(new WebAssembly.Memory({ initial: Number(bytes) / 65536 }).buffer).length,
  spin: () => { for (;;); },
  wait: () => new Promise(() => {}),
  nameThread: () => {
    const file = '/proc/self/task/' + process.pid + '/comm';
    fs.writeFileSync(file, 'named');
    return fs.readFileSync(file, 'utf8').trim();
  },
  niceness: () => getPriority(),
  variables: () => ({ ...process.env }),
  standing: () => {
    const of = (text, name) => new RegExp('^' + name + ':\\s*(\\S+)', 'm').exec(text)[1];
    const threads = fs.readdirSync('/proc/self/task').map((id) => fs.readFileSync('/proc/self/task/' + id + '/status', 'utf8'));
    return {
      seccomp: [...new Set(threads.map((text) => of(text, 'Seccomp')))],
      noNewPrivileges: [...new Set(threads.map((text) => of(text, 'NoNewPrivs')))],
      capabilities: of(threads[0], 'CapEff'),
      core: /^Max core file size\s+(\S+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8'))[1],
      pid: process.pid,
    };
  },
};

process.on('disconnect', () => process.exit(0));
process.on('message', async ({ modelPath }) => {
  const [, deed, argument] = /^(\w+):([^]*)$/.exec(modelPath);
  try {
    process.send({ kind: 'done', value: { done: (await DEEDS[deed](argument)) ?? null } });
  } catch (error) {
    process.send({ kind: 'done', value: { code: error.code ?? error.name } });
  }
});
`;

/** A confined worker that does what its model's name says. It needs the compiled launcher. @param folder where its script is put */
export function hostileWorker(
  folder: string,
  {
    limits = {},
    ...settings
  }: Partial<Omit<ConfinedEntry, 'limits'>> & { readonly limits?: Partial<WorkerLimits> } = {},
): ConfinedEntry {
  // Apart: the folder of the program is one that it may read.
  mkdirSync(join(folder, 'program'), { recursive: true });
  const file = join(folder, 'program', 'worker.mjs');
  writeFileSync(file, SCRIPT);
  return {
    main: pathToFileURL(file),
    launcher: new URL('../../dist/confinement/launch-main.cjs', import.meta.url),
    mode: 'required',
    temporaryFolder: join(folder, 'tmp'),
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...settings,
  };
}
