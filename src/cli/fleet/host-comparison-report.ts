import { formatRatio } from '../../benchmark/compare.ts';
import { formatSeconds } from '../../core/units.ts';
import {
  type FleetComparison,
  type HostComparison,
  type HostStanding,
  isSlower,
} from '../../fleet/compare-hosts.ts';
import { renderTable } from '../table.ts';

const HEADER = ['host', 'figure', 'runs', 'speed', 'throughput', ''];

/** What comparing the hosts of a fleet found; the hosts that are slower at the end. */
export function renderFleetComparison({ comparisons, alone }: FleetComparison): string {
  const parts = comparisons.map(renderComparison);
  const lonely = alone.map(
    ({ agent, hostClass, measurements }) =>
      `${agent} alone has ${measurements === 1 ? 'a measurement' : `${measurements} measurements`} on ${hostClass}: nothing to compare with`,
  );
  return [...parts, ...(lonely.length === 0 ? [] : [lonely.join('\n')]), verdictOf(comparisons)].join('\n\n');
}

function renderComparison(of: HostComparison): string {
  const { model, variant, suite, measurement, device, settings, hostClass, reference, basis, hosts } = of;
  const title = `${model}/${variant}, ${suite === '' ? measurement : `${suite}/${measurement}`} on ${device}, ${settings}`;
  const why = hosts.flatMap(({ agent, differences }) => differences.map((text) => `  ${agent}: ${text}`));
  const how =
    basis === 'runs'
      ? 'intervals from runs'
      : 'intervals from one run each, which do not know how runs differ: with three runs of each host smaller differences show';
  return [
    title,
    `  ${hostClass}; speed against ${reference}; ${how}`,
    renderTable(HEADER, hosts.map(toRow)),
    ...why,
  ].join('\n');
}

function toRow(host: HostStanding): string[] {
  const { agent, seconds, runs, valid, speedUp, throughput } = host;
  const outcome = isSlower(host) ? 'slower' : (speedUp?.outcome ?? 'reference');
  return [
    agent,
    formatSeconds(seconds),
    String(runs),
    speedUp === null ? '1' : formatRatio(speedUp),
    throughput === null ? '–' : formatRatio(throughput),
    `${outcome}${valid ? '' : ', not valid'}`,
  ];
}

/** The hosts that are slower than the reference, by agent. */
export function slowerHosts(comparisons: readonly HostComparison[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const host of comparisons.flatMap(({ hosts }) => hosts)) {
    if (isSlower(host)) counts.set(host.agent, (counts.get(host.agent) ?? 0) + 1);
  }
  return counts;
}

function verdictOf(comparisons: readonly HostComparison[]): string {
  if (comparisons.length === 0) return 'no two hosts of a class measured the same';
  const slower = slowerHosts(comparisons);
  if (slower.size === 0) return 'no host is shown to be slower than the others of its class';
  return [...slower]
    .map(([agent, count]) => {
      const of = comparisons.filter(({ hosts }) => hosts.some((host) => host.agent === agent)).length;
      return `slower: ${agent}, in ${count} of ${of === 1 ? '1 measurement' : `${of} measurements`}`;
    })
    .join('\n');
}
