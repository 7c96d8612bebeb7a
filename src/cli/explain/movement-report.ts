import { formatSeconds } from '../../core/units.ts';
import type { Movement } from '../../jobs/explain/movement.ts';
import { renderTable } from '../table.ts';
import { costText, db, shorten } from './explain-report.ts';

const SHOWN_NODES = 15;
const CHANGES = 8;
const NAMED = 5;

/** The nodes that add most to what moved between two versions, and what is set otherwise in them. */
export function renderMovement(movement: Movement, page?: string): string {
  const { nodes, samples, split, onlyBefore, onlyAfter, notes, seconds } = movement;
  const shown = nodes.slice(0, SHOWN_NODES);
  const changed = nodes.filter((node) => node.changed.length > 0);
  return [
    `${movement.candidate} against the older ${movement.reference}, ${samples} samples of '${split}'`,
    `  outputs       ${costText(movement.whole, movement, 'before')}`,
    '',
    ...(nodes.length === 0
      ? ['no result of a node moved, and nothing is set otherwise']
      : [
          renderTable(
            ['#', 'node', 'op', 'moved dB', 'inputs dB', 'set otherwise'],
            shown.map((node, at) => [
              String(at + 1),
              shorten(node.node),
              node.op,
              db(node.sqnrDb),
              db(node.inputsSqnrDb),
              node.changed.length === 0 ? 'no' : 'yes',
            ]),
          ),
        ]),
    ...(nodes.length > shown.length ? [`  … ${nodes.length - shown.length} more (--json, --html)`] : []),
    '',
    ...changed
      .slice(0, CHANGES)
      .flatMap(({ node, changed: changes }) => [`${node}:`, ...changes.map((change) => `     ${change}`)]),
    ...(changed.length > CHANGES ? [`  … ${changed.length - CHANGES} more nodes are set otherwise`] : []),
    ...(changed.length === 0 && nodes.length > 0
      ? ['nothing is set otherwise in any node that both have']
      : []),
    '',
    ...only('only before', onlyBefore),
    ...only('only now', onlyAfter),
    ...notes.map((note) => `  note        ${note}`),
    `  took        ${formatSeconds(seconds)}`,
    ...(page === undefined ? [] : [`  page        ${page}`]),
  ].join('\n');
}

function only(title: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > NAMED ? `, … (${names.length - NAMED} more)` : '';
  return [`  ${title.padEnd(11)} ${names.length} nodes: ${names.slice(0, NAMED).join(', ')}${more}`];
}
