import { Gauge } from './gauge.ts';
import { type Fold, growthOf, type Step, secondsWithin, shareOf } from './steps.ts';

/** What is summed up of a GPU's reading. */
interface Gpu {
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  readonly utilizationRatio?: number;
  readonly memory?: { readonly usedBytes: number };
  readonly powerWatts?: { readonly instant?: number; readonly average?: number };
  readonly energyJoules?: number;
  readonly temperatureCelsius?: { readonly gpu?: number };
  readonly throttleReasons?: readonly string[];
  readonly processes?: readonly { readonly usedBytes?: number }[];
}

/** The GPUs of a snapshot, as far as they are summed up. */
export interface SummedGpus {
  readonly gpus: readonly Gpu[];
}

/** One GPU during a phase. What its driver does not tell is absent. */
export interface GpuSummary {
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  readonly utilizationMeanRatio?: number;
  /** Of the whole device. */
  readonly memoryMeanBytes?: number;
  readonly memoryPeakBytes?: number;
  /** Of the watched processes. */
  readonly processMemoryPeakBytes?: number;
  readonly powerMeanWatts?: number;
  readonly powerPeakWatts?: number;
  /** By the device's counter. */
  readonly energyJoules?: number;
  readonly temperatureMaxCelsius?: number;
  /** What slowed it down, at some time: power, heat or hardware; not that it had nothing to do. */
  readonly throttledBy: readonly string[];
  /** Time in which one of these held. */
  readonly throttledSeconds: number;
}

/** Reasons that make figures of a benchmark lower than the device is good for. */
const HARMFUL = new Set(['sw_power_cap', 'hw_slowdown', 'sw_thermal', 'hw_thermal', 'hw_power_brake']);

export function createGpusFold(): Fold<SummedGpus, readonly GpuSummary[]> {
  const gpus = new Map<string, GpuFold>();
  return {
    step(step) {
      for (const to of step.to.value.gpus) {
        const from = step.from.value.gpus.find(({ uuid }) => uuid === to.uuid);
        if (from === undefined) continue;
        let gpu = gpus.get(to.uuid);
        if (gpu === undefined) {
          gpu = new GpuFold();
          gpus.set(to.uuid, gpu);
        }
        gpu.add(step, from, to);
      }
    },
    finish: () =>
      gpus.size === 0
        ? undefined
        : [...gpus.values()].map((gpu) => gpu.finish()).sort((a, b) => a.index - b.index),
  };
}

class GpuFold {
  #last: Gpu | undefined;
  readonly #utilization = new Gauge();
  readonly #memory = new Gauge();
  readonly #processMemory = new Gauge();
  readonly #power = new Gauge();
  readonly #temperature = new Gauge();
  #energyJoules: number | undefined;
  readonly #throttledBy = new Set<string>();
  #throttledSeconds = 0;

  add(step: Step<unknown>, from: Gpu, to: Gpu): void {
    this.#last = to;
    this.#utilization.addKnown(step, from.utilizationRatio, to.utilizationRatio);
    this.#memory.addKnown(step, from.memory?.usedBytes, to.memory?.usedBytes);
    this.#processMemory.addKnown(step, processBytes(from), processBytes(to));
    this.#power.addKnown(step, watts(from), watts(to));
    this.#temperature.addKnown(step, from.temperatureCelsius?.gpu, to.temperatureCelsius?.gpu);
    if (from.energyJoules !== undefined && to.energyJoules !== undefined) {
      this.#energyJoules =
        (this.#energyJoules ?? 0) + shareOf(step) * growthOf(from.energyJoules, to.energyJoules);
    }
    const reasons = (to.throttleReasons ?? []).filter((reason) => HARMFUL.has(reason));
    for (const reason of reasons) this.#throttledBy.add(reason);
    if (reasons.length > 0) this.#throttledSeconds += secondsWithin(step);
  }

  finish(): GpuSummary {
    const { uuid = '', index = 0, name = '' } = this.#last ?? {};
    const utilization = this.#utilization.figures();
    const memory = this.#memory.figures();
    const processMemory = this.#processMemory.figures();
    const power = this.#power.figures();
    const temperature = this.#temperature.figures();
    return {
      uuid,
      index,
      name,
      ...(utilization === undefined ? {} : { utilizationMeanRatio: utilization.mean }),
      ...(memory === undefined
        ? {}
        : { memoryMeanBytes: Math.round(memory.mean), memoryPeakBytes: Math.round(memory.max) }),
      ...(processMemory === undefined ? {} : { processMemoryPeakBytes: Math.round(processMemory.max) }),
      ...(power === undefined ? {} : { powerMeanWatts: power.mean, powerPeakWatts: power.max }),
      ...(this.#energyJoules === undefined ? {} : { energyJoules: this.#energyJoules }),
      ...(temperature === undefined ? {} : { temperatureMaxCelsius: temperature.max }),
      throttledBy: [...this.#throttledBy].sort(),
      throttledSeconds: this.#throttledSeconds,
    };
  }
}

/** Undefined where the driver does not tell whose memory it is, or not how much of it. */
function processBytes({ processes }: Gpu): number | undefined {
  if (processes === undefined || processes.some(({ usedBytes }) => usedBytes === undefined)) return undefined;
  return processes.reduce((sum, { usedBytes = 0 }) => sum + usedBytes, 0);
}

function watts({ powerWatts }: Gpu): number | undefined {
  return powerWatts?.instant ?? powerWatts?.average;
}
