/**
 * GPUs as recorded output of nvidia-smi shows them, read by other code than the product's: a row of figures in the units of
 * nvidia-smi, from which come the answers of the fake NVML and the fake nvidia-smi, and the reading that is expected of both.
 */
import type { GpuReading, ThrottleReason } from '../../src/telemetry/collectors/gpu/gpu-reading.ts';
import type { SmiRow } from './fake-nvidia-smi/install-fake-smi.ts';

/** By the names of `--query-gpu`; what is not told has no entry. */
export interface RecordedGpu {
  readonly isLost: boolean;
  readonly texts: Readonly<Record<string, string>>;
  readonly numbers: Readonly<Record<string, number>>;
  readonly throttleMask?: number;
}

const TEXTS = ['uuid', 'name', 'pci.bus_id', 'driver_version'];

/** Of each number its element in the XML, below the elements before it. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  'utilization.gpu': ['utilization', 'gpu_util'],
  'utilization.memory': ['utilization', 'memory_util'],
  'memory.total': ['fb_memory_usage', 'total'],
  'memory.reserved': ['fb_memory_usage', 'reserved'],
  'memory.used': ['fb_memory_usage', 'used'],
  'memory.free': ['fb_memory_usage', 'free'],
  'power.draw.instant': ['gpu_power_readings', 'instant_power_draw'],
  'power.draw.average': ['gpu_power_readings', 'average_power_draw'],
  'enforced.power.limit': ['gpu_power_readings', 'current_power_limit'],
  'temperature.gpu': ['temperature', 'gpu_temp'],
  'temperature.memory': ['temperature', 'memory_temp'],
  'clocks.current.graphics': ['clocks', 'graphics_clock'],
  'clocks.current.sm': ['clocks', 'sm_clock'],
  'clocks.current.memory': ['clocks', 'mem_clock'],
  'clocks.current.video': ['clocks', 'video_clock'],
};

const ECC = {
  'ecc.errors.corrected.volatile.total': ['volatile', /<[sd]ram_correctable>(\d+)</g],
  'ecc.errors.uncorrected.volatile.total': ['volatile', /<[sd]ram_uncorrectable\w*>(\d+)</g],
  'ecc.errors.corrected.aggregate.total': ['aggregate', /<[sd]ram_correctable>(\d+)</g],
  'ecc.errors.uncorrected.aggregate.total': ['aggregate', /<[sd]ram_uncorrectable\w*>(\d+)</g],
} as const;

const MASK_FIELD = 'clocks_event_reasons.active';

const MASKS: Readonly<Record<ThrottleReason, number>> = {
  idle: 0x1,
  application_clocks: 0x2,
  sw_power_cap: 0x4,
  hw_slowdown: 0x8,
  sync_boost: 0x10,
  sw_thermal: 0x20,
  hw_thermal: 0x40,
  hw_power_brake: 0x80,
  display_clocks: 0x100,
};

const XML_REASONS: Readonly<Record<string, ThrottleReason>> = {
  gpu_idle: 'idle',
  applications_clocks_setting: 'application_clocks',
  sw_power_cap: 'sw_power_cap',
  hw_slowdown: 'hw_slowdown',
  sync_boost: 'sync_boost',
  sw_thermal_slowdown: 'sw_thermal',
  hw_thermal_slowdown: 'hw_thermal',
  hw_power_brake_slowdown: 'hw_power_brake',
  display_clocks_setting: 'display_clocks',
};

/** A section of a recorded session, such as `idle :: query-gpu`; its text without the three lines of its title. */
export function captureSection(text: string, title: string): string {
  const [, , after = ''] = text.split(
    new RegExp(`^# ${title.replace(/[()]/g, '\\$&')}[^\\n]*\\n(?:# [^\\n]*\\n)*#{80}\\n()`, 'm'),
  );
  return after.split(/^#{80}$/m)[0] ?? '';
}

/** The CSV that `--query-gpu` printed with its header and units: one row a GPU, by the plain names of the fields. */
export function recordedRows(csv: string): readonly SmiRow[] {
  const [header = '', ...lines] = csv.trim().split('\n');
  const names = header.split(', ').map((name) => name.replace(/ \[[^\]]*\]$/, ''));
  return lines.map((line) => Object.fromEntries(line.split(', ').map((value, at) => [names[at], value])));
}

export function recordedFromRow(row: SmiRow): RecordedGpu {
  const numbers: Record<string, number> = {};
  for (const name of [...Object.keys(NUMBERS), ...Object.keys(ECC)]) {
    const value = Number.parseFloat(row[name] ?? '');
    if (!Number.isNaN(value)) numbers[name] = value;
  }
  const texts = Object.fromEntries(TEXTS.map((name) => [name, row[name] ?? '']));
  return { isLost: false, texts, numbers, throttleMask: Number(row[MASK_FIELD]) };
}

/** Each `<gpu>` of `nvidia-smi -q -x`. */
export function recordedFromXml(xml: string): readonly RecordedGpu[] {
  const driver = /<driver_version>(.*)</.exec(xml)?.[1] ?? '';
  return xml
    .split(/<gpu id=/)
    .slice(1)
    .map((gpu) => {
      const within = (parent: string) =>
        new RegExp(`<${parent}>([\\s\\S]*?)</${parent}>`).exec(gpu)?.[1] ?? '';
      const numbers: Record<string, number> = {};
      for (const [name, [parent = '', element = '']] of Object.entries(NUMBERS)) {
        const digits = new RegExp(`<${element}>([\\d.]+)`).exec(within(parent))?.[1];
        if (digits !== undefined) numbers[name] = Number(digits);
      }
      for (const [name, [scope, pattern]] of Object.entries(ECC)) {
        const counts = [...within(scope).matchAll(pattern)].map(([, digits]) => Number(digits));
        if (counts.length > 0) numbers[name] = counts.reduce((a, b) => a + b);
      }
      const active = [...within('clocks_event_reasons').matchAll(/<clocks_event_reason_(\w+)>Active</g)];
      return {
        isLost: gpu.includes('GPU is lost'),
        texts: {
          uuid: /<uuid>(.*)</.exec(gpu)?.[1] ?? '',
          name: /<product_name>(.*)</.exec(gpu)?.[1] ?? '',
          'pci.bus_id': /<pci_bus_id>(.*)</.exec(gpu)?.[1] ?? '',
          driver_version: driver,
        },
        numbers,
        throttleMask: active.reduce((mask, [, name = '']) => mask | MASKS[XML_REASONS[name] ?? 'idle'], 0),
      };
    });
}

/** As the fake nvidia-smi prints it. */
export function smiRowOf(
  { texts, numbers, isLost, throttleMask = 0 }: RecordedGpu,
  index: number,
  all: readonly RecordedGpu[],
): SmiRow {
  const shown = Object.entries(numbers).map(([name, value]) => [name, `${value}`]);
  return {
    ...texts,
    index: `${index}`,
    count: `${all.length}`,
    ...Object.fromEntries(shown),
    [MASK_FIELD]: `0x${throttleMask.toString(16).padStart(16, '0')}`,
    ...(isLost ? { 'memory.total': '[GPU is lost]' } : {}),
  };
}

export const OFFERED_FIELDS = [
  ...TEXTS,
  'index',
  'count',
  ...Object.keys(NUMBERS),
  ...Object.keys(ECC),
  MASK_FIELD,
];

const MEBIBYTE = 2 ** 20;

/** As the fake NVML answers. */
export function nvmlStateOf(gpus: readonly RecordedGpu[]): string {
  const lines = gpus.flatMap(({ texts, numbers, throttleMask = 0, isLost }, index) => {
    const of = (name: string) => numbers[name];
    const line = (key: string, ...values: readonly (number | string | undefined)[]) =>
      values.some((value) => value === undefined) ? [] : [`gpu${index} ${key} ${values.join(' ')}`];
    const memory = ['total', 'reserved', 'used', 'free'].map((name) => of(`memory.${name}`));
    const milli = (name: string) => {
      const value = of(name);
      return value === undefined ? undefined : Math.round(value * 1e3);
    };
    return [
      ...line('name', texts['name']),
      ...line('uuid', texts['uuid']),
      ...line('pci', '0x0', texts['pci.bus_id']),
      ...line('utilization', of('utilization.gpu'), of('utilization.memory')),
      ...line('memory', ...memory.map((value) => (value === undefined ? undefined : value * MEBIBYTE))),
      ...line('limit', milli('enforced.power.limit')),
      ...line('field186 1', milli('power.draw.instant')),
      ...line('field185 1', milli('power.draw.average')),
      ...line('temperature', of('temperature.gpu')),
      ...line('field82 1', of('temperature.memory')),
      ...['graphics', 'sm', 'memory', 'video'].flatMap((name, domain) =>
        line(`clock${domain}`, of(`clocks.current.${name}`)),
      ),
      ...line('throttle', throttleMask),
      ...line('ecc00', of('ecc.errors.corrected.volatile.total')),
      ...line('ecc10', of('ecc.errors.uncorrected.volatile.total')),
      ...line('ecc01', of('ecc.errors.corrected.aggregate.total')),
      ...line('ecc11', of('ecc.errors.uncorrected.aggregate.total')),
      ...(isLost ? line('code nvmlDeviceGetFieldValues', 15) : []),
    ];
  });
  return [`driver ${gpus[0]?.texts['driver_version']}`, `count ${gpus.length}`, ...lines, ''].join('\n');
}

/** What both must give: the whole GPU, apart from what only one of them can know. */
export function expectedReading(
  { texts, numbers, throttleMask = 0, isLost }: RecordedGpu,
  index: number,
): Partial<GpuReading> {
  const scaledBy = (factor: number) => (name: string) => {
    const value = numbers[name];
    return value === undefined ? undefined : value * factor;
  };
  const plain = scaledBy(1);
  const ratio = (name: string) => {
    const value = numbers[name];
    return value === undefined ? undefined : value / 100;
  };
  const group = (entries: Readonly<Record<string, number | undefined>>) => {
    const told = Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
    return Object.keys(told).length === 0 ? undefined : told;
  };
  const bytes = scaledBy(MEBIBYTE);
  const hertz = scaledBy(1e6);
  const values = {
    utilizationRatio: ratio('utilization.gpu'),
    memoryActivityRatio: ratio('utilization.memory'),
    memory: group({
      totalBytes: bytes('memory.total'),
      reservedBytes: bytes('memory.reserved'),
      usedBytes: bytes('memory.used'),
      freeBytes: bytes('memory.free'),
    }),
    powerWatts: group({ instant: plain('power.draw.instant'), average: plain('power.draw.average') }),
    powerLimitWatts: plain('enforced.power.limit'),
    temperatureCelsius: group({ gpu: plain('temperature.gpu'), memory: plain('temperature.memory') }),
    clockHertz: group({
      graphics: hertz('clocks.current.graphics'),
      sm: hertz('clocks.current.sm'),
      memory: hertz('clocks.current.memory'),
      video: hertz('clocks.current.video'),
    }),
    throttleReasons: (Object.keys(MASKS) as ThrottleReason[]).filter(
      (reason) => (throttleMask & MASKS[reason]) !== 0,
    ),
    eccErrors: group({
      correctedVolatile: plain('ecc.errors.corrected.volatile.total'),
      uncorrectedVolatile: plain('ecc.errors.uncorrected.volatile.total'),
      correctedAggregate: plain('ecc.errors.corrected.aggregate.total'),
      uncorrectedAggregate: plain('ecc.errors.uncorrected.aggregate.total'),
    }),
  };
  return {
    uuid: texts['uuid'] ?? '',
    index,
    name: texts['name'] ?? '',
    state: isLost ? 'lost' : 'ok',
    ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
  };
}
