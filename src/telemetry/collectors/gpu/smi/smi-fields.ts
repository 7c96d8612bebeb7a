/** What is asked of `nvidia-smi --query-gpu`, by the names that drivers gave it, the newest first. The name comes last, as it may hold a comma. */
const FIELD_NAMES = {
  index: ['index'],
  count: ['count'],
  uuid: ['uuid', 'gpu_uuid'],
  pciBusId: ['pci.bus_id', 'gpu_bus_id'],
  driverVersion: ['driver_version'],
  computeCapability: ['compute_cap'],
  recoveryAction: ['gpu_recovery_action'],
  migMode: ['mig.mode.current'],
  utilization: ['utilization.gpu'],
  memoryActivity: ['utilization.memory'],
  memoryTotal: ['memory.total'],
  memoryReserved: ['memory.reserved'],
  memoryUsed: ['memory.used'],
  memoryFree: ['memory.free'],
  powerInstant: ['power.draw.instant'],
  powerAverage: ['power.draw.average'],
  power: ['power.draw'],
  powerLimit: ['enforced.power.limit', 'power.limit'],
  temperature: ['temperature.gpu'],
  memoryTemperature: ['temperature.memory'],
  graphicsClock: ['clocks.current.graphics', 'clocks.gr'],
  smClock: ['clocks.current.sm', 'clocks.sm'],
  memoryClock: ['clocks.current.memory', 'clocks.mem'],
  videoClock: ['clocks.current.video', 'clocks.video'],
  throttleReasons: ['clocks_event_reasons.active', 'clocks_throttle_reasons.active'],
  eccCorrectedVolatile: ['ecc.errors.corrected.volatile.total'],
  eccUncorrectedVolatile: ['ecc.errors.uncorrected.volatile.total'],
  eccCorrectedAggregate: ['ecc.errors.corrected.aggregate.total'],
  eccUncorrectedAggregate: ['ecc.errors.uncorrected.aggregate.total'],
  name: ['name', 'gpu_name'],
} as const satisfies Record<string, readonly string[]>;

export type SmiFieldKey = keyof typeof FIELD_NAMES;

/** A field that this nvidia-smi knows. */
export interface SmiField {
  readonly key: SmiFieldKey;
  /** By its name there. */
  readonly name: string;
}

/** Those without which a line cannot be told from noise. */
const NEEDED: readonly SmiFieldKey[] = ['index', 'uuid', 'name'];

/**
 * The fields to ask for, out of what `nvidia-smi --help-query-gpu` lists: `"name" or "gpu_name"` at the start of a line.
 * Undefined when the text is no such list. An unknown field would make nvidia-smi refuse the whole query.
 */
export function chooseSmiFields(help: string): readonly SmiField[] | undefined {
  const offered = new Set<string>();
  for (const line of help.split('\n')) {
    if (!line.startsWith('"')) continue;
    for (const [, name] of line.matchAll(/"([^"]+)"/g)) offered.add(name ?? '');
  }
  const fields = (Object.keys(FIELD_NAMES) as SmiFieldKey[]).flatMap((key) => {
    const name = FIELD_NAMES[key].find((candidate) => offered.has(candidate));
    return name === undefined ? [] : [{ key, name }];
  });
  return NEEDED.every((key) => fields.some((field) => field.key === key)) ? fields : undefined;
}
