import { FEWEST_PROCESSES } from './settings.ts';

/**
 * What an interval may take for independent: with three processes or more the geometric mean of each, in the order in which
 * they come, as rounds of one process depend on one another; with fewer the single figures.
 * @param figures positive numbers, each with the process that it is of
 */
export function independentFigures(
  figures: readonly { readonly process: number; readonly value: number }[],
): { readonly values: readonly number[]; readonly areOfProcesses: boolean } {
  const logsByProcess = new Map<number, number[]>();
  for (const { process, value } of figures) {
    logsByProcess.set(process, [...(logsByProcess.get(process) ?? []), Math.log(value)]);
  }
  if (logsByProcess.size < FEWEST_PROCESSES) {
    return { values: figures.map(({ value }) => value), areOfProcesses: false };
  }
  const means = [...logsByProcess.values()].map((logs) =>
    Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length),
  );
  return { values: means, areOfProcesses: true };
}
