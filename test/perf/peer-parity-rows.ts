import {
  type Compared,
  type ConstantDifference,
  type ParityReport,
  type ParityReports,
  peerParity,
} from './peer-parity.ts';
import {
  BASELINE_MODELS,
  bundledSubject,
  findSubjects,
  MORE_MODELS,
  requirePeerPython,
} from './peer-subjects.ts';
import { type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const SAMPLES = 16;

/** Scales, zero points, codes and outputs against the peer with equal settings, on every model for which there are data. */
export async function measurePeerParity(onRow: OnRow): Promise<readonly PerfRow[]> {
  const python = requirePeerPython();
  const known = findSubjects([...BASELINE_MODELS, ...MORE_MODELS], (reason) => console.error(reason));
  const rows: PerfRow[] = [];
  for (const subject of [bundledSubject(), ...known]) {
    const reports = await peerParity(subject, SAMPLES, python, { commandLine: true });
    for (const row of rowsOf(subject.name, reports)) {
      onRow(row);
      rows.push(row);
    }
  }
  return rows;
}

function rowsOf(model: string, { room, commandLine }: ParityReports): readonly PerfRow[] {
  return [
    activationRow(model, room),
    constantRow(model, 'weights', room.weights),
    constantRow(model, 'biases', room.biases),
    outputRow(model, room),
    {
      ...plainRow(model, 'activations rounded by the peer alone', String(room.activations.peerOnly.length)),
      detail: `by us alone: ${room.activations.oursOnly.length}`,
    },
    ...(commandLine === undefined ? [] : [commandLineRow(model, commandLine, room)]),
  ];
}

function activationRow(
  model: string,
  { activations: { compared, equal, different } }: ParityReport,
): PerfRow {
  const placement = different.filter((difference) => difference.placement).length;
  const shared = different.filter((difference) => difference.shared && !difference.placement).length;
  const reasons = [
    [placement, 'share the parameters of a tensor that only the peer rounds'],
    [shared, 'have the parameters of the Concat that joins them on our side'],
  ] as const;
  return {
    subject: model,
    figure: 'activations: scale and zero point equal',
    value: `${equal} of ${compared}`,
    target: 'all, or explained',
    reached: placement + shared === different.length,
    detail: counted(reasons),
  };
}

function counted(reasons: readonly (readonly [number, string])[]): string {
  return reasons.flatMap(([count, reason]) => (count === 0 ? [] : [`${count} ${reason}`])).join(', ');
}

function constantRow(
  model: string,
  what: 'weights' | 'biases',
  { compared, equal, different }: Compared<ConstantDifference>,
): PerfRow {
  const sum = (reason: 'vanishing' | 'raised' | 'unexplained') =>
    different.reduce((total, difference) => total + (difference[reason] ?? 0), 0);
  const placement = different.filter((difference) => difference.placement === true).length;
  const reasons = [
    [placement, 'on the scale of a tensor that only the peer rounds'],
    [sum('vanishing'), 'channels without weights'],
    [sum('raised'), 'channels whose scale we raise more for the bias'],
    [sum('unexplained'), 'channels unexplained'],
  ] as const;
  return {
    subject: model,
    figure: `${what}: codes and scales equal`,
    value: `${equal} of ${compared}`,
    target: 'all, or explained',
    reached: sum('unexplained') === 0 && different.every(({ alike }) => alike),
    detail: counted(reasons),
  };
}

function outputRow(model: string, report: ParityReport): PerfRow {
  const { outputs, transplanted, rewired } = report;
  const details = [
    ...(transplanted.bitEqual === 0 ? [] : [`${transplanted.bitEqual} once the peer has our parameters`]),
    ...(rewired.length === 0 ? [] : [`and ${rewired.length} float nodes read float32`]),
    `largest difference ${outputs.largestDifference.toPrecision(2)} of ${outputs.largestValue.toPrecision(3)}`,
    `error of the peer / ours ${outputs.peerErrorOverOurs.toFixed(2)}`,
  ];
  return {
    subject: model,
    figure: 'outputs equal bit for bit',
    value: `${outputs.bitEqual} of ${outputs.tensors}`,
    target: 'all, or explained',
    reached: transplanted.bitEqual === transplanted.tensors,
    detail: outputs.bitEqual === outputs.tensors ? '' : details.join(', '),
  };
}

/**
 * An optimized run rounds differently, so the extremes that the command line sees differ in their last bits. What differs
 * for other reasons, too, is left out.
 */
function commandLineRow(model: string, { activations }: ParityReport, room: ParityReport): PerfRow {
  const explained = new Set(room.activations.different.map(({ tensor }) => tensor));
  const { different } = activations;
  const compared = activations.compared - explained.size;
  const ranges = different.filter(({ tensor }) => !explained.has(tensor));
  const relative = ranges.map(({ ours: [own], peer: [other] }) => Math.abs(own / other - 1));
  const zeroPoints = ranges.filter(({ ours, peer }) => ours[1] !== peer[1]).length;
  return {
    ...plainRow(model, 'command line: scales equal', `${compared - ranges.length} of ${compared}`),
    detail: `the others within ${Math.max(0, ...relative).toExponential(0)}, ${zeroPoints} zero points differ`,
  };
}
