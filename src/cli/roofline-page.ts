import { basename } from 'node:path';
import { formatSeconds, formatSi } from '../core/units.ts';
import type { RooflineReport } from '../jobs/roofline-models.ts';
import { type OperatorUnderRoof, operatorName, type Roofline } from '../trace/roofline/roofline.ts';
import { escapeXml } from './escape-xml.ts';
import { renderRooflineChart, VARIANT_COLOURS } from './roofline-chart.ts';
import { describePeaks, figuresOf, share } from './roofline-report.ts';

/** Told apart by people who see few colours (Okabe and Ito's palette), on a light and on a dark page. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#b3508c', '#9a6a00', '#2a7fb8'];
const COLOURS_ON_DARK = ['#56b4e9', '#ff8c42', '#2fd4a7', '#e09ac6', '#f0b429', '#8fd0f5'];

const STYLE = `
:root { color-scheme: light dark; --page: #fff; --ink: #1d2126; --faint: #5c6670; --grid: #e3e6e9; --roof: #3b434b; ${coloursAs(COLOURS)} }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --ink: #e4e8ec; --faint: #9aa5af; --grid: #2b3238; --roof: #b9c2ca; ${coloursAs(COLOURS_ON_DARK)} }
}
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.grid { stroke: var(--grid); } .label { fill: var(--faint); }
.roof { stroke: var(--roof); stroke-width: 1.6; } .roof-label, .name { fill: var(--roof); paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
.point { fill: var(--colour); fill-opacity: 0.55; stroke: var(--colour); }
.point:hover, .model:hover { stroke: var(--ink); stroke-width: 2; }
.model { fill: var(--page); stroke: var(--colour); stroke-width: 2.5; }
.name { fill: var(--ink); }
.key { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 50%; background: var(--colour); margin-right: 0.4em; }
ul.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.5rem; overflow-wrap: anywhere; }
.doubt { border-left: 4px solid #d55e00; padding-left: 0.8rem; } .faint { color: var(--faint); }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th { color: var(--faint); font-weight: 600; } th:first-child, td:first-child, .left { text-align: left; }
meter { width: 4.5rem; }
${COLOURS.map((_, index) => `.v${index} { --colour: var(--c${index}); }`).join(' ')}
`;

function coloursAs(colours: readonly string[]): string {
  return colours.map((colour, index) => `--c${index}: ${colour};`).join(' ');
}

/** A page that needs nothing but itself: the picture, what the host can do, and a table for each model. */
export function renderRooflinePage(report: RooflineReport & { readonly madeUpInputs?: boolean }): string {
  const measured = report.variants.flatMap(({ variant, roofline }, index) =>
    roofline === null ? [] : { variant, roofline, index },
  );
  const doubts = [
    ...report.peaks.flatMap((peaks) => peaks.doubts.map((doubt) => `Peaks of ${peaks.device}: ${doubt}`)),
    ...report.variants.flatMap((of) => of.doubts.map((doubt) => `${basename(of.variant)}: ${doubt}`)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Roofline${measured.length === 0 ? '' : ` of ${escapeXml(measured.map(({ variant }) => basename(variant)).join(', '))}`}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Roofline</h1>
${doubts.length === 0 ? '' : `<div class="doubt">Not all of this is to be trusted:<ul>${doubts.map((doubt) => `<li>${escapeXml(doubt)}</li>`).join('')}</ul></div>`}
<ul class="legend">${measured.map(({ variant, index }) => `<li class="v${index % VARIANT_COLOURS}"><span class="key"></span>${escapeXml(variant)}</li>`).join('')}</ul>
${renderRooflineChart(report)}
<p class="faint">A point is an operator, its area the share of the time; a diamond is a whole model. Point at one to read its figures.
No operator lies above the roof of its arithmetic, nor above the slope of the memory that its data comes from, by more than
the error of the measurement.</p>
${report.peaks.map((peaks) => `<p>${describePeaks(peaks).map(escapeXml).join('<br>')}</p>`).join('\n')}
${report.madeUpInputs === true ? '<p class="faint">Inputs are made up: real ones may take another time.</p>' : ''}
${measured.map(({ variant, roofline }) => modelSection(variant, roofline)).join('\n')}
</body>
</html>
`;
}

function modelSection(variant: string, { model, operators, runs }: Roofline): string {
  const { compute, memory, overhead } = model.timeRatioByBound;
  const rates = [
    `${formatSeconds(model.secondsPerRun)} a run`,
    ...(model.flopsPerSecond === null ? [] : [formatSi(model.flopsPerSecond, 'FLOP/s')]),
    ...(model.bytesPerSecond === null ? [] : [formatSi(model.bytesPerSecond, 'B/s')]),
    ...(model.roofRatio === null ? [] : [`${share(model.roofRatio)} of its roof`]),
  ];
  return `<h2>${escapeXml(variant)}</h2>
<p>${rates.join(', ')}. Of the time of its kernels ${share(compute)} is bound by compute, ${share(memory)} by memory and
${share(overhead)} by neither; between kernels ${formatSeconds(model.outsideKernelsSeconds)} a run. Means of ${runs} runs.</p>
<div class="wide"><table>
<thead><tr><th>operator</th><th class="left">in</th><th>calls</th><th>time a run</th><th>share</th><th>FLOP</th><th>bytes</th>
<th>FLOP/B</th><th>FLOP/s</th><th>B/s</th><th>of roof</th><th></th><th class="left">bound by</th></tr></thead>
<tbody>
${operators.map(operatorRow).join('\n')}
</tbody></table></div>`;
}

function operatorRow(operator: OperatorUnderRoof): string {
  const { provider, arithmetic, roofRatio, bound, memory } = operator;
  const meter = roofRatio === null ? '' : `<meter value="${Math.min(1, roofRatio).toFixed(3)}"></meter>`;
  const where = bound === 'memory' && memory !== null ? `memory (${memory})` : bound;
  return (
    `<tr><td title="${escapeXml(provider)}">${escapeXml(operatorName(operator))}</td><td class="left">${arithmetic}</td>` +
    `${figuresOf(operator)
      .map((cell) => `<td>${escapeXml(cell)}</td>`)
      .join('')}<td>${meter}</td><td class="left">${escapeXml(where)}</td></tr>`
  );
}
