import { formatSeconds } from '../../core/units.ts';
import type { Decibels, ExplainedNode, Explanation, OutputCost } from '../../jobs/explain/explanation.ts';
import { listNodes } from '../node-list.ts';
import { renderTable } from '../table.ts';

const SHOWN_NODES = 15;
const REASONS = 8;
const LONGEST_NAME = 34;

/** The costliest nodes in a table, and the reasons behind the first of them. */
export function renderExplanation(explanation: Explanation, page?: string): string {
  const { nodes, samples, split, unpaired, notes, measured, seconds } = explanation;
  const shown = nodes.slice(0, SHOWN_NODES);
  const named = nodes.filter(({ cause }) => cause !== 'none').slice(0, REASONS);
  const hasAnswers = shown.some(({ alone }) => alone?.changedAnswers !== undefined);
  return [
    `${explanation.candidate} against ${explanation.reference}, ${samples} samples of '${split}'`,
    `  as it is      ${costText(explanation.whole, explanation)}`,
    `  in float32    ${costText(explanation.simulated, explanation)} (all roundings at once, as nodes are measured here)`,
    '',
    renderTable(
      [
        '#',
        'node',
        'op',
        'alone dB',
        ...(hasAnswers ? ['changed'] : []),
        'without dB',
        'own dB',
        'weights',
        'inputs',
        'output',
        'at its place',
        'work',
      ],
      shown.map((node, at) => row(node, at + 1, hasAnswers)),
    ),
    ...(nodes.length > shown.length ? [`  … ${nodes.length - shown.length} more (--json, --html)`] : []),
    '',
    ...named.flatMap(({ node, reason, advice }, at) => [
      `${at + 1}. ${node}: ${reason}`,
      ...advice.map((line) => `     ${line}`),
    ]),
    ...(named.length > 0 ? [''] : []),
    ...explained(measured, nodes.length),
    ...listNodes('not paired', unpaired),
    ...notes.map((note) => `  note        ${note}`),
    `  took        ${formatSeconds(seconds)}`,
    ...(page === undefined ? [] : [`  page        ${page}`]),
  ].join('\n');
}

function explained({ alone, of, stopped }: Explanation['measured'], nodes: number): readonly string[] {
  const what = `  measured    ${alone} of ${of} quantized nodes at the outputs, all ${nodes} by themselves`;
  if (stopped === undefined) return [what];
  return [`${what}; ${stopped === 'top' ? 'as many as --top says' : 'then the time was up'}`];
}

function row(node: ExplainedNode, place: number, hasAnswers: boolean): readonly string[] {
  const [alone, changed, ...others] = figuresOf(node);
  return [String(place), shorten(node.node), node.op, alone, ...(hasAnswers ? [changed] : []), ...others];
}

/** What is told of a node in a line of a table: alone, changed answers, without, own, weights, inputs, result, at its place, work. */
export function figuresOf(node: ExplainedNode): readonly [string, string, ...string[]] {
  const { alone, without, own, workRatio } = node;
  return [
    alone === undefined ? '–' : costDb(alone),
    alone?.changedAnswers === undefined ? '–' : String(alone.changedAnswers),
    without === undefined ? '–' : signed(without.gainDb),
    db(own.sqnrDb),
    db(own.weightsSqnrDb),
    db(own.inputsSqnrDb),
    db(sumOf(own.outputRoundingSqnrDb, own.outputClippingSqnrDb)),
    db(node.accumulatedSqnrDb),
    workRatio === undefined ? '–' : `${(workRatio * 100).toFixed(1)} %`,
  ];
}

/** What two errors come to together. */
function sumOf(first: Decibels | undefined, second: Decibels | undefined): Decibels | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  if (first === null || second === null) return first ?? second;
  return -10 * Math.log10(10 ** (-first / 10) + 10 ** (-second / 10));
}

export function db(value: Decibels | undefined): string {
  if (value === undefined) return '–';
  return value === null ? 'none' : value.toFixed(1);
}

export function costDb({ sqnrDb, notFinite }: OutputCost): string {
  return notFinite === true ? 'NaN' : db(sqnrDb);
}

/** `19.8 dB, 1 of 32 answers changed, top-1 81.25 % (float32 84.38 %)`. */
export function costText(
  cost: OutputCost,
  { samples, metric, referenceFigure }: Pick<Explanation, 'samples' | 'metric' | 'referenceFigure'>,
  referenceName = 'float32',
): string {
  const { sqnrDb, notFinite, changedAnswers, figure } = cost;
  const sqnr =
    notFinite === true
      ? 'outputs are not finite'
      : sqnrDb === null
        ? 'nothing lost'
        : `${sqnrDb.toFixed(2)} dB`;
  const figures =
    metric === undefined || figure === undefined || referenceFigure === undefined
      ? []
      : [`${metric.label} ${numberText(figure)} (${referenceName} ${numberText(referenceFigure)})`];
  return [
    sqnr,
    ...(changedAnswers === undefined ? [] : [`${changedAnswers} of ${samples} answers changed`]),
    ...figures,
  ].join(', ');
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(4)));
}

export function shorten(name: string): string {
  return name.length <= LONGEST_NAME ? name : `…${name.slice(1 - LONGEST_NAME)}`;
}

export function signed(gainDb: Decibels): string {
  if (gainDb === null) return 'all';
  return `${gainDb < 0 ? '−' : '+'}${Math.abs(gainDb).toFixed(1)}`;
}
