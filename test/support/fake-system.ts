import type { Problem } from '../../src/core/problem.ts';
import type { LiveSystem } from '../../src/jobs/live-system.ts';
import type { WorkerEvent } from '../../src/jobs/worker-protocol.ts';
import type { TracePart } from '../../src/trace/trace-part.ts';

export interface FakeSystem {
  readonly system: LiveSystem;
  /** The verbs that it was told. */
  readonly told: readonly string[];
  readonly send: (event: WorkerEvent) => void;
  /** Does what is to be done before the process ends. */
  readonly close: () => Promise<void>;
  readonly exit: (problem: Problem) => void;
}

/** A system under test without a process. @param answers what it sends when it is told something; nothing unless given */
export function fakeSystem(
  variant: string,
  answers: (verb: string) => WorkerEvent | undefined = tracesAt(variant),
): FakeSystem {
  const told: string[] = [];
  const listeners = new Set<(event: WorkerEvent) => void>();
  const lastActions: (() => Promise<void>)[] = [];
  let exit: (problem: Problem) => void = () => {};
  const send = (event: WorkerEvent) => {
    for (const listener of listeners) listener(event);
  };
  const system: LiveSystem = {
    identity: { model: 'tiny', variant, device: 'cpu', provider: 'CPUExecutionProvider', threads: 1 },
    tell: ({ verb }) => {
      told.push(verb);
      const event = answers(verb);
      if (event !== undefined) queueMicrotask(() => send(event));
    },
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    beforeClose: (action) => lastActions.push(action),
    exited: new Promise((resolve) => {
      exit = resolve;
    }),
  };
  return {
    system,
    told,
    send,
    close: async () => void (await Promise.all(lastActions.map((action) => action()))),
    exit: (problem) => exit(problem),
  };
}

/** One that does as it is told. */
function tracesAt(variant: string) {
  return (verb: string): WorkerEvent =>
    verb === 'trace'
      ? { kind: 'trace-begun', extraRssBytes: 0 }
      : { kind: 'traced', parts: [partOf(variant)] };
}

function partOf(variant: string): TracePart {
  return {
    modelId: `tiny:${variant}`,
    phase: 'bench',
    device: 'cpu',
    pid: 1,
    thread: `bench ${variant}`,
    baseNs: '0',
    startsNs: [0],
    endsNs: [1],
    firstRequest: 0,
  };
}
