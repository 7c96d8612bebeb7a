import { NVML } from './nvml-codes.ts';
import type { NvmlQueries } from './nvml-queries.ts';

/** NVML_FI_DEV_…, with the numbers of nvml.h. Byte counters of PCIe cost nothing; its throughput would be watched for 20 ms. */
const FIELDS = {
  memoryTemperature: 82,
  totalEnergy: 83,
  pcieReplays: 94,
  powerAverage: 185,
  powerInstant: 186,
  pcieTxBytes: 197,
  pcieRxBytes: 198,
} as const;

type FieldName = keyof typeof FIELDS;

const NAMES = Object.keys(FIELDS) as readonly FieldName[];

/** `nvmlFieldValue_t`: id, scope, two times, type of the value, return code, value. */
const ENTRY_BYTES = 40;
const TYPE_AT = 24;
const CODE_AT = 28;
const VALUE_AT = 32;

/** Several values by one call. Those that the device does not have are undefined. */
export class NvmlFields {
  readonly #bytes = new Uint8Array(NAMES.length * ENTRY_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor() {
    NAMES.forEach((name, index) => {
      this.#view.setUint32(index * ENTRY_BYTES, FIELDS[name], true);
    });
  }

  read(device: NvmlQueries): Readonly<Record<FieldName, number | undefined>> {
    const answered = device.fieldValues(NAMES.length, this.#bytes);
    const values: Partial<Record<FieldName, number>> = {};
    NAMES.forEach((name, index) => {
      const value = answered ? this.#valueAt(index * ENTRY_BYTES) : undefined;
      if (value !== undefined) values[name] = value;
    });
    return values as Readonly<Record<FieldName, number | undefined>>;
  }

  #valueAt(entry: number): number | undefined {
    if (this.#view.getUint32(entry + CODE_AT, true) !== NVML.success) return undefined;
    const at = entry + VALUE_AT;
    // `nvmlValueType_t`. On Linux an unsigned long has 64 bits.
    switch (this.#view.getUint32(entry + TYPE_AT, true)) {
      case 0:
        return this.#view.getFloat64(at, true);
      case 1:
        return this.#view.getUint32(at, true);
      case 2:
      case 3:
        return Number(this.#view.getBigUint64(at, true));
      case 4:
        return Number(this.#view.getBigInt64(at, true));
      case 5:
        return this.#view.getInt32(at, true);
      case 6:
        return this.#view.getUint16(at, true);
      default:
        return undefined;
    }
  }
}
