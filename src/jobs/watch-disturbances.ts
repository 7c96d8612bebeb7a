import { contaminationReasons } from '../benchmark/host-conditions.ts';
import { type Clock, secondsBetween } from '../core/clock.ts';
import { otherBusySeconds } from './host-busy.ts';
import { createConditionsReader } from './read-host-conditions.ts';

/** Average CPU cores that others may take meanwhile; as many as a benchmark allows unless it is told otherwise. */
const MAX_OTHER_CPU_CORES = 0.25;

/**
 * Watches from now on what the host does besides the work of this process.
 * @returns a function that tells, as sentences, why what was measured since then is not to be trusted
 */
export function watchDisturbances(clock: Pick<Clock, 'nowNs'>): () => readonly string[] {
  const readConditions = createConditionsReader();
  const startNs = clock.nowNs();
  const [busyBefore, conditionsBefore] = [otherBusySeconds(), readConditions()];
  return () => {
    const seconds = secondsBetween(startNs, clock.nowNs());
    return [
      ...contaminationReasons(conditionsBefore, readConditions(), seconds * 1e9),
      ...otherWork(busyBefore, otherBusySeconds(), seconds),
    ];
  };
}

/** Nothing where the kernel does not tell. */
export function otherWork(
  busyBefore: number | undefined,
  busyAfter: number | undefined,
  seconds: number,
): readonly string[] {
  if (busyBefore === undefined || busyAfter === undefined) return [];
  const cores = (busyAfter - busyBefore) / seconds;
  if (cores <= MAX_OTHER_CPU_CORES) return [];
  return [
    `Other work on the host took ${cores.toFixed(2)} CPU cores on average, more than the ${MAX_OTHER_CPU_CORES} allowed`,
  ];
}
