import { collectInventory, openInventorySource } from '../telemetry/inventory/collect-inventory.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';

/** Find out what the host is made of. */
export interface InventoryTask {
  readonly kind: 'inventory';
}

/**
 * Runs in a worker process, which may be killed on the way.
 * @param onPart  told what is known by then
 */
export async function takeInventory(
  _task: InventoryTask,
  onPart: (inventory: HostInventory) => void,
): Promise<HostInventory> {
  return collectInventory(await openInventorySource(), onPart);
}
