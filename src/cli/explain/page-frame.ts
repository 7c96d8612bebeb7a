import { createHash } from 'node:crypto';
import { escapeXml } from '../escape-xml.ts';

/** The colours of causes (Okabe and Ito's palette), on a light and on a dark page. */
const STYLE = `
:root { color-scheme: light dark; --page: #fff; --ink: #1d2126; --faint: #5c6670; --grid: #e3e6e9;
  --weights: #0072b2; --rounding: #b3508c; --clipping: #d55e00; --none: #8a949d; --inside: #5c8db5; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --ink: #e4e8ec; --faint: #9aa5af; --grid: #2b3238;
    --weights: #56b4e9; --rounding: #e09ac6; --clipping: #ff8c42; --none: #6d7781; --inside: #6fa3cf; }
}
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: 0.2rem; }
.wide { overflow-x: auto; } .wide svg { min-width: 44rem; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0.5rem 1.5rem; }
figure { margin: 0.5rem 0; } figcaption { color: var(--faint); font-size: 0.9rem; }
.grid { stroke: var(--grid); } .axis { stroke: var(--faint); } .label { fill: var(--faint); } .name { fill: var(--ink); }
.mark { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3; }
.course { fill: none; stroke: var(--weights); stroke-width: 1.5; } .whole { fill: var(--weights); } .own { fill: var(--page); stroke: var(--clipping); stroke-width: 1.5; }
.bar { fill: var(--none); } .bar.weights { fill: var(--weights); } .bar.inside { fill: var(--inside); }
.bar.input-rounding, .bar.output-rounding { fill: var(--rounding); } .bar.input-clipping, .bar.output-clipping { fill: var(--clipping); }
.key { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; }
.key.weights { background: var(--weights); } .key.rounding { background: var(--rounding); } .key.clipping { background: var(--clipping); }
ul.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.5rem; }
.faint { color: var(--faint); }
details { border-top: 1px solid var(--grid); padding: 0.5rem 0; } summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th { color: var(--faint); font-weight: 600; } .left { text-align: left; }
`;

/** Nothing is loaded and nothing runs; the one style sheet is known by what it holds. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** @param body HTML, in which what comes from a model is escaped */
export function pageAround(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}
