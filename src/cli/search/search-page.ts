import { basename } from 'node:path';
import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { CandidateResult, SearchResult } from '../../jobs/search/search-result.ts';
import { escapeXml } from '../escape-xml.ts';
import { decimal, percent } from '../table.ts';
import { renderSearchChart } from './search-chart.ts';
import { remark, STANDING_WORD, speedUpWords, summary } from './search-report.ts';

/** Told apart by people who see few colours (Okabe and Ito's palette), on a light and on a dark page. */
const STYLE = `
:root { color-scheme: light dark; --page: #fff; --ink: #1d2126; --faint: #5c6670; --grid: #e3e6e9; --kept: #0072b2; --undecided: #009e73; --doubtful: #9a6a00; --missed: #d55e00; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --ink: #e4e8ec; --faint: #9aa5af; --grid: #2b3238; --kept: #56b4e9; --undecided: #2fd4a7; --doubtful: #f0b429; --missed: #ff8c42; }
}
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.grid { stroke: var(--grid); } .label { fill: var(--faint); } .middle { text-anchor: middle; } .end { text-anchor: end; }
.float32 { stroke: var(--faint); stroke-dasharray: 2 4; } .front { fill: none; stroke: var(--faint); stroke-dasharray: 6 4; }
.kept { --colour: var(--kept); } .undecided { --colour: var(--undecided); } .doubtful { --colour: var(--doubtful); } .missed { --colour: var(--missed); }
.point { fill: var(--colour); fill-opacity: 0.4; stroke: var(--colour); } .point.chosen { stroke: var(--ink); stroke-width: 2.5; fill-opacity: 0.8; }
.name { fill: var(--ink); paint-order: stroke; stroke: var(--page); stroke-width: 3px; } .strong { font-weight: 700; }
.key { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 50%; background: var(--colour); margin-right: 0.4em; }
ul.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.5rem; }
.faint { color: var(--faint); } div.wide { overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.2rem; } dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th { color: var(--faint); font-weight: 600; } .left { text-align: left; } td.why { white-space: normal; min-width: 16rem; color: var(--faint); }
tr.chosen { font-weight: 700; } td.standing { color: var(--colour); }
`;

/** A page that needs nothing but itself: what was chosen and why, the picture, and all candidates. */
export function renderSearchPage(result: SearchResult): string {
  const { model, candidates, leftOut, choice } = result;
  const name = escapeXml(basename(model));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Recipes for ${name}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${name}: ${escapeXml(choice.label)}</h1>
<dl>
${summary(result)
  .map(([term, words]) => `<dt>${escapeXml(term)}</dt><dd>${escapeXml(words)}</dd>`)
  .join('\n')}
</dl>
<h2>Accuracy, latency and size</h2>
<ul class="legend">
<li class="kept"><span class="key"></span>the budget is kept</li>
<li class="undecided"><span class="key"></span>kept as far as can be seen</li>
<li class="doubtful"><span class="key"></span>missed as far as can be seen</li>
<li class="missed"><span class="key"></span>missed</li>
</ul>
${renderSearchChart(result)}
<p class="faint">Each point is a candidate that was timed; its area is the size of the file, and the chosen one has a dark edge. Nothing was
reached above and to the left of the dashed line. Point at one to read its figures.</p>
<h2>Candidates</h2>
<div class="wide"><table>
<thead><tr><th class="left">candidate</th><th>front</th><th>size</th><th>SQNR dB</th><th>agreement</th><th>loss</th><th>at most</th><th>budget</th>
<th>latency</th><th>times as fast</th><th>made in</th><th class="left"></th></tr></thead>
<tbody>
${candidates.map(row).join('\n')}
</tbody></table></div>
<p class="faint">Loss, and what it is at most with the confidence of the budget, are those of ${escapeXml(metricWords(result))}, on the samples that choose.
Front: none is better in accuracy, latency and size together.</p>
${leftOut.length === 0 ? '' : `<h2>Left out</h2><ul>${leftOut.map((of) => `<li>${escapeXml(of.label)}: ${escapeXml(of.reason)}</li>`).join('\n')}</ul>`}
</body>
</html>
`;
}

function metricWords({ candidates }: SearchResult): string {
  return candidates.find(({ accuracy }) => accuracy !== undefined)?.accuracy?.metric ?? 'the metric';
}

function row(candidate: CandidateResult): string {
  const { label, isChosen, isOnFront, sizeBytes, accuracy, latency, makingSeconds, state, reason } =
    candidate;
  const isShare = accuracy !== undefined && accuracy.metric !== 'sqnr_db';
  const loss = (value: number | null | undefined) =>
    value === undefined || value === null ? '–' : isShare ? percent(value) : decimal(value, 2);
  const cells = [
    isOnFront ? '*' : '',
    sizeBytes === undefined ? '–' : formatBytes(sizeBytes),
    accuracy === undefined ? '–' : accuracy.sqnrDb === null ? 'same' : decimal(accuracy.sqnrDb, 1),
    percent(accuracy?.agreement),
    loss(accuracy?.loss),
    loss(accuracy?.lossUpperBound),
  ];
  const after = [
    latency === undefined ? '–' : formatSeconds(latency.medianSeconds),
    speedUpWords(candidate),
    makingSeconds === undefined ? '–' : formatSeconds(makingSeconds),
  ];
  const standing = accuracy === undefined ? '–' : STANDING_WORD[accuracy.standing];
  return (
    `<tr${isChosen ? ' class="chosen"' : ''}><td class="left">${escapeXml(label)}</td>` +
    cells.map(cell).join('') +
    `<td class="standing ${accuracy?.standing ?? ''}">${standing}</td>` +
    after.map(cell).join('') +
    `<td class="left why">${escapeXml(remark(state, reason))}</td></tr>`
  );
}

function cell(text: string): string {
  return `<td>${escapeXml(text)}</td>`;
}
