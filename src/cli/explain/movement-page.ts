import { basename } from 'node:path';
import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { MovedNode, Movement } from '../../jobs/explain/movement.ts';
import { escapeXml } from '../escape-xml.ts';
import { renderDepthChart } from './depth-chart.ts';
import { costText, db } from './explain-report.ts';
import { pageAround } from './page-frame.ts';

/** A page that needs nothing but itself: how far results moved through the model, and what is set otherwise. */
export function renderMovementPage(movement: Movement): string {
  const { nodes, samples, split, onlyBefore, onlyAfter, notes, seconds, peakRssBytes } = movement;
  const title = `${basename(movement.candidate)} against the older ${basename(movement.reference)}`;
  const depth = renderDepthChart({
    depth: [...nodes]
      .sort((a, b) => a.depth - b.depth)
      .map(({ node, depth: place, sqnrDb }) => ({
        tensor: 'its result',
        node,
        depth: place,
        accumulatedSqnrDb: sqnrDb,
      })),
    nodes: [],
  });
  return pageAround(
    title,
    `<h1>What moved: ${escapeXml(title)}</h1>
<p>${samples} samples of <q>${escapeXml(split)}</q>. Outputs: ${escapeXml(costText(movement.whole, movement, 'before'))}.</p>
${notes.map((note) => `<p class="faint">${escapeXml(note)}</p>`).join('\n')}
${
  depth === undefined
    ? ''
    : `<h2>Through the model</h2>
<p class="faint">The result of each node in the newer version against that in the older one; higher is nearer.</p>
<div class="wide">${depth}</div>`
}
<h2>Nodes</h2>
<p class="faint">First those in which something is set otherwise. SQNR in dB of the result, and of the input that moved most.</p>
<div class="wide"><table>
<thead><tr><th class="left">node</th><th class="left">operator</th><th>moved</th><th>inputs</th><th class="left">set otherwise</th></tr></thead>
<tbody>
${nodes.map(row).join('\n')}
</tbody></table></div>
${onlyIn('Only in the older version', onlyBefore)}
${onlyIn('Only in the newer version', onlyAfter)}
<p class="faint">Took ${formatSeconds(seconds)} and ${formatBytes(peakRssBytes)}.</p>`,
  );
}

function row({ node, op, sqnrDb, inputsSqnrDb, changed }: MovedNode): string {
  const words = changed.map(escapeXml).join('<br>');
  return `<tr><td class="left">${escapeXml(node)}</td><td class="left">${escapeXml(op)}</td><td>${db(sqnrDb)}</td><td>${db(inputsSqnrDb)}</td><td class="left">${words}</td></tr>`;
}

function onlyIn(title: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `<h2>${title}</h2><p>${names.map(escapeXml).join(', ')}</p>`;
}
