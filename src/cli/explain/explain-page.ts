import { basename } from 'node:path';
import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { ExplainedNode, ExplainedTensor, Explanation } from '../../jobs/explain/explanation.ts';
import { escapeXml } from '../escape-xml.ts';
import { renderDepthChart } from './depth-chart.ts';
import { costDb, costText, db, figuresOf, signed } from './explain-report.ts';
import { pageAround } from './page-frame.ts';
import { renderRankingChart } from './ranking-chart.ts';
import { renderChannels, renderHistogram } from './tensor-charts.ts';

/** Nodes with pictures of their own. All are in the table. */
const DETAILED = 24;

/** A page that needs nothing but itself: the ranking, how errors add up, and the costliest nodes one by one. */
export function renderExplainPage(explanation: Explanation): string {
  const { nodes, tensors, unpaired, notes, measured, seconds, peakRssBytes } = explanation;
  const byName = new Map(tensors.map((tensor) => [tensor.tensor, tensor]));
  const title = `${basename(explanation.candidate)} against ${basename(explanation.reference)}`;
  const ranking = renderRankingChart(nodes);
  const depth = renderDepthChart(explanation);
  return pageAround(
    title,
    `<h1>What quantization costs: ${escapeXml(title)}</h1>
<p>${explanation.samples} samples of <q>${escapeXml(explanation.split)}</q>. As it is: ${escapeXml(costText(explanation.whole, explanation))}.
All roundings at once in float32 arithmetic, as nodes are measured here: ${escapeXml(costText(explanation.simulated, explanation))}.</p>
${notes.map((note) => `<p class="faint">${escapeXml(note)}</p>`).join('\n')}
${
  ranking === undefined
    ? ''
    : `<h2>Which nodes cost most</h2>
<p class="faint">Each node quantized alone, all others float32: the noise at the outputs, as a share of that of the first, and its SQNR. Measured: ${measured.alone} of ${measured.of} quantized nodes.</p>
<ul class="legend"><li><span class="key weights"></span>mostly its weights</li><li><span class="key rounding"></span>mostly rounding of activations</li><li><span class="key clipping"></span>mostly values beyond a range</li></ul>
<div class="wide">${ranking}</div>`
}
${
  depth === undefined
    ? ''
    : `<h2>How errors add up</h2>
<p class="faint">Filled: the values of a tensor in the quantized model against float32. Rings: the error of its own node alone.</p>
<div class="wide">${depth}</div>`
}
<h2>Why</h2>
${nodes
  .slice(0, DETAILED)
  .map((node, at) => detail(node, at, byName))
  .join('\n')}
<h2>All nodes</h2>
${nodeTable(nodes)}
${unpairedTable(explanation)}
<p class="faint">${unpaired.length === 0 ? '' : `${unpaired.length} nodes could not be paired. `}Took ${formatSeconds(seconds)} and ${formatBytes(peakRssBytes)}.</p>`,
  );
}

function detail(
  node: ExplainedNode,
  position: number,
  tensors: ReadonlyMap<string, ExplainedTensor>,
): string {
  const { alone, without, weights } = node;
  const figures = [
    ...(alone === undefined ? [] : [`alone ${costDb(alone)} dB`]),
    ...(without === undefined ? [] : [`without it ${signed(without.gainDb)} dB`]),
    `its own result ${db(node.own.sqnrDb)} dB`,
  ];
  const shown = [...new Set([...node.inputs, node.output])].flatMap((name) => tensors.get(name) ?? []);
  const charts = [
    ...shown.flatMap((tensor) => figure(renderHistogram(tensor), tensorCaption(tensor))),
    ...shown.flatMap((tensor) =>
      figure(
        renderChannels(tensor, `Channels of ${tensor.tensor}`),
        `largest magnitude of each channel of ${tensor.tensor}`,
      ),
    ),
    ...(weights === undefined
      ? []
      : figure(
          renderChannels(weights, `Channels of the weights of ${node.node}`),
          `weights: largest magnitude of each channel; ${weights.bits} bits, a scale a ${weights.scales}, ${weights.usedCodes ?? '–'} of ${weights.codes} codes used, ${weights.deadChannels} channels of zeros`,
        )),
  ];
  return `<details${position < 3 ? ' open' : ''}><summary><strong>${escapeXml(node.node)}</strong> (${escapeXml(node.op)}): ${figures.join(', ')}</summary>
<p>${escapeXml(node.reason)}.</p>
${node.advice.length === 0 ? '' : `<ul>${node.advice.map((line) => `<li>${escapeXml(line)}</li>`).join('')}</ul>`}
<div class="pair">${charts.join('\n')}</div></details>`;
}

function tensorCaption({ tensor, usedCodes, codes, clippedRatio = 0 }: ExplainedTensor): string {
  const used = usedCodes === undefined ? '' : `; ${usedCodes} of ${codes} codes used`;
  return `values of ${tensor}, and the range of its codes${used}; ${Number((clippedRatio * 100).toPrecision(2))} % beyond it`;
}

function figure(chart: string | undefined, caption: string): readonly string[] {
  return chart === undefined
    ? []
    : [`<figure>${chart}<figcaption>${escapeXml(caption)}</figcaption></figure>`];
}

function nodeTable(nodes: readonly ExplainedNode[]): string {
  const rows = nodes.map((node) => {
    const cells = figuresOf(node);
    return `<tr><td class="left">${escapeXml(node.node)}</td><td class="left">${escapeXml(node.op)}</td>${cells.map((cell) => `<td>${escapeXml(cell)}</td>`).join('')}</tr>`;
  });
  return `<p class="faint">SQNR in dB; higher is better. Alone, and what leaving out its roundings gains: at the outputs. Own: of its result, from float32 inputs, and what of
it comes of weights, of inputs and of rounding the result. At its place: its result in the quantized model.</p>
<div class="wide"><table>
<thead><tr><th class="left">node</th><th class="left">operator</th><th>alone</th><th>changed</th><th>without</th><th>own</th><th>weights</th><th>inputs</th><th>result</th><th>at its place</th><th>work</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

function unpairedTable({ unpaired }: Explanation): string {
  if (unpaired.length === 0) return '';
  return `<h2>Not paired</h2>
<div class="wide"><table>
<thead><tr><th class="left">node</th><th class="left">operator</th><th class="left">why</th></tr></thead>
<tbody>
${unpaired.map(({ node, op, reason }) => `<tr><td class="left">${escapeXml(node)}</td><td class="left">${escapeXml(op)}</td><td class="left">${escapeXml(reason)}</td></tr>`).join('\n')}
</tbody></table></div>`;
}
