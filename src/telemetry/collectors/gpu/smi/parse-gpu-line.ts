import { type GpuReading, kernelPciAddress, known, throttleReasons } from '../gpu-reading.ts';
import type { SmiField, SmiFieldKey } from './smi-fields.ts';
import { scaled, smiMask, smiMemory, smiNumber, smiRatio, smiState, smiWord } from './smi-value.ts';

export interface GpuLine {
  readonly gpu: GpuReading;
  readonly driverVersion?: string;
  /** How many GPUs there are. */
  readonly count?: number;
  readonly isSplit: boolean;
}

/** GA100 is 8.0; its power is not averaged as that of later GPUs is. */
const AVERAGED_SINCE_COMPUTE_CAPABILITY = 8.6;

/**
 * One line of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`. Undefined when it is none: half a line, or the words
 * about an XID error that the driver's tool puts between.
 */
export function parseGpuLine(line: string, fields: readonly SmiField[]): GpuLine | undefined {
  const values = line.split(', ');
  if (values.length < fields.length) return undefined;
  const last = fields.length - 1;
  const texts = new Map<SmiFieldKey, string>();
  fields.forEach(({ key }, position) => {
    texts.set(key, (position === last ? values.slice(last).join(', ') : values[position]) ?? '');
  });
  const index = smiNumber(texts.get('index'));
  const uuid = texts.get('uuid') ?? '';
  if (index === undefined || !uuid.startsWith('GPU-')) return undefined;
  return {
    gpu: {
      uuid,
      index,
      name: texts.get('name') ?? '',
      ...known({ pciBusId: busIdOf(texts.get('pciBusId')) }),
      state: smiState(texts.values(), texts.get('recoveryAction')),
      ...readValues((key) => texts.get(key)),
    },
    ...known({ driverVersion: smiWord(texts.get('driverVersion')), count: smiNumber(texts.get('count')) }),
    isSplit: texts.get('migMode') === 'Enabled',
  };
}

function busIdOf(text: string | undefined): string | undefined {
  const word = smiWord(text);
  return word === undefined ? undefined : kernelPciAddress(word);
}

function readValues(text: (key: SmiFieldKey) => string | undefined): Partial<GpuReading> {
  const number = (key: SmiFieldKey, factor = 1) => scaled(smiNumber(text(key)), factor);
  const ratio = (key: SmiFieldKey) => smiRatio(text(key));
  const mask = smiMask(text('throttleReasons'));
  return (
    known({
      utilizationRatio: ratio('utilization'),
      memoryActivityRatio: ratio('memoryActivity'),
      memory: smiMemory({
        total: text('memoryTotal'),
        reserved: text('memoryReserved'),
        used: text('memoryUsed'),
        free: text('memoryFree'),
      }),
      powerWatts: powerOf(number),
      powerLimitWatts: number('powerLimit'),
      temperatureCelsius: known({ gpu: number('temperature'), memory: number('memoryTemperature') }),
      clockHertz: known({
        graphics: number('graphicsClock', 1e6),
        sm: number('smClock', 1e6),
        memory: number('memoryClock', 1e6),
        video: number('videoClock', 1e6),
      }),
      throttleReasons: mask === undefined ? undefined : throttleReasons(mask),
      eccErrors: known({
        correctedVolatile: number('eccCorrectedVolatile'),
        uncorrectedVolatile: number('eccUncorrectedVolatile'),
        correctedAggregate: number('eccCorrectedAggregate'),
        uncorrectedAggregate: number('eccUncorrectedAggregate'),
      }),
    }) ?? {}
  );
}

function powerOf(number: (key: SmiFieldKey) => number | undefined): GpuReading['powerWatts'] {
  const told = known({ instant: number('powerInstant'), average: number('powerAverage') });
  const draw = number('power');
  if (told !== undefined || draw === undefined) return told;
  const isAveraged = (number('computeCapability') ?? 0) >= AVERAGED_SINCE_COMPUTE_CAPABILITY;
  return isAveraged ? { average: draw } : { instant: draw };
}
