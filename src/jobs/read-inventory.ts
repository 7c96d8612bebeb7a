import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import type { WorkerEntry } from './confinement/confined-entry.ts';
import { WorkerProcess } from './worker-process.ts';

/** Ten times what it takes on a host with GPUs and many drives; a driver that needs longer hangs. */
const TIMEOUT_MS = 30_000;

/**
 * Finds out what the host is made of, once, in a process of its own, which is killed together with the programs it runs when they
 * take too long. Gives what is known by then, which may be nothing: an inventory is an extra, and its lack fails no one.
 * @param workerEntry  the compiled `worker-main.js`
 */
export async function readInventory(
  workerEntry: WorkerEntry,
  { timeoutMs = TIMEOUT_MS, signal }: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<HostInventory> {
  let known: HostInventory = {};
  const worker = new WorkerProcess(
    { entry: workerEntry },
    {
      task: { kind: 'inventory' },
      onEvent: (event) => {
        if (event.kind === 'inventory') known = event.inventory;
      },
    },
  );
  const end = () => worker.killGroup();
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  const answer = await worker.ask({ kind: 'inventory' });
  clearTimeout(timer);
  signal?.removeEventListener('abort', end);
  await worker.close();
  return answer.ok ? (answer.value as HostInventory) : known;
}
