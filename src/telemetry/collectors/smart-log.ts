import { err, ok, type Result } from '../../core/result.ts';

/** What an NVMe drive says of its own wear (NVM Express base specification, SMART / Health Information log, page 02h). */
export interface SmartLog {
  readonly percentageUsedRatio?: number;
  readonly availableSpareRatio?: number;
  readonly mediaErrors?: number;
  /** Bits: spare low, temperature, reliability, read only, backup failed, persistent memory. 0: all is well. */
  readonly criticalWarning?: number;
  readonly unsafeShutdowns?: number;
  readonly dataReadBytes?: number;
  readonly dataWrittenBytes?: number;
  readonly temperatureCelsius?: number;
}

/** Data units are thousands of 512 bytes. */
const DATA_UNIT_BYTES = 512_000;
const ZERO_CELSIUS_KELVIN = 273;

/** A program that reads the log, and how its JSON is read. Both need to be allowed to send commands to the drive. */
export interface SmartTool {
  readonly command: string;
  readonly args: (device: string) => readonly string[];
  /** The error is what the tool said instead. */
  readonly parse: (text: string) => Result<SmartLog, string>;
}

/** In the order in which they are tried. */
export const SMART_TOOLS: readonly SmartTool[] = [
  { command: 'nvme', args: (device) => ['smart-log', '-o', 'json', `/dev/${device}`], parse: parseNvmeCli },
  { command: 'smartctl', args: (device) => ['-j', '-A', `/dev/${device}`], parse: parseSmartctl },
];

/** `nvme smart-log -o json` of nvme-cli 1 and 2: names of its own, temperature in kelvin, large counters also as text. */
function parseNvmeCli(text: string): Result<SmartLog, string> {
  const log = parseObject(text);
  if (log === undefined) return err(firstLine(text));
  if (typeof log['error'] === 'string') return err(log['error']);
  const kelvin = numberOf(log['temperature']);
  return toLog({
    percentageUsed: numberOf(log['percent_used'] ?? log['percentage_used']),
    availableSpare: numberOf(log['avail_spare']),
    mediaErrors: numberOf(log['media_errors']),
    // Version 2 explains the bits in an object around them.
    criticalWarning: numberOf(fieldOf(log['critical_warning'], 'value') ?? log['critical_warning']),
    unsafeShutdowns: numberOf(log['unsafe_shutdowns']),
    unitsRead: numberOf(log['data_units_read']),
    unitsWritten: numberOf(log['data_units_written']),
    celsius: kelvin === undefined ? undefined : kelvin - ZERO_CELSIUS_KELVIN,
  });
}

/** `smartctl -j -A` of smartmontools 7: the log lies within, and its words for a refusal in `smartctl.messages`. */
function parseSmartctl(text: string): Result<SmartLog, string> {
  const whole = parseObject(text);
  if (whole === undefined) return err(firstLine(text));
  const log = fieldOf(whole, 'nvme_smart_health_information_log');
  if (log === undefined) {
    const messages = fieldOf(fieldOf(whole, 'smartctl'), 'messages');
    const said = Array.isArray(messages) ? fieldOf(messages[0], 'string') : undefined;
    return err(typeof said === 'string' ? said : 'smartctl gave no NVMe health log');
  }
  return toLog({
    percentageUsed: numberOf(fieldOf(log, 'percentage_used')),
    availableSpare: numberOf(fieldOf(log, 'available_spare')),
    mediaErrors: numberOf(fieldOf(log, 'media_errors')),
    criticalWarning: numberOf(fieldOf(log, 'critical_warning')),
    unsafeShutdowns: numberOf(fieldOf(log, 'unsafe_shutdowns')),
    unitsRead: numberOf(fieldOf(log, 'data_units_read')),
    unitsWritten: numberOf(fieldOf(log, 'data_units_written')),
    celsius: numberOf(fieldOf(log, 'temperature')),
  });
}

function toLog(found: {
  readonly percentageUsed: number | undefined;
  readonly availableSpare: number | undefined;
  readonly mediaErrors: number | undefined;
  readonly criticalWarning: number | undefined;
  readonly unsafeShutdowns: number | undefined;
  readonly unitsRead: number | undefined;
  readonly unitsWritten: number | undefined;
  readonly celsius: number | undefined;
}): Result<SmartLog, string> {
  const { percentageUsed, availableSpare, mediaErrors, criticalWarning, unsafeShutdowns, celsius } = found;
  const log: SmartLog = {
    ...(percentageUsed === undefined ? {} : { percentageUsedRatio: percentageUsed / 100 }),
    ...(availableSpare === undefined ? {} : { availableSpareRatio: availableSpare / 100 }),
    ...(mediaErrors === undefined ? {} : { mediaErrors }),
    ...(criticalWarning === undefined ? {} : { criticalWarning }),
    ...(unsafeShutdowns === undefined ? {} : { unsafeShutdowns }),
    ...(found.unitsRead === undefined ? {} : { dataReadBytes: found.unitsRead * DATA_UNIT_BYTES }),
    ...(found.unitsWritten === undefined ? {} : { dataWrittenBytes: found.unitsWritten * DATA_UNIT_BYTES }),
    ...(celsius === undefined ? {} : { temperatureCelsius: celsius }),
  };
  return Object.keys(log).length > 0 ? ok(log) : err('the answer has none of the fields of a health log');
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A count; as text it may have its thousands separated. Negative ones are none. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value.replaceAll(',', '')) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstLine(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  return line === '' ? 'no answer' : line.slice(0, 200);
}
