import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { DASHBOARDS } from '../../dashboards/source/all.ts';
import { panelsOf } from '../support/lint-dashboard.ts';
import { askPanel, type TimeRange } from './ask-panel.ts';
import { drawPanel } from './draw-panel.ts';
import { escapeHtml } from './panel-field.ts';

// Draws the dashboards as Grafana lays them out, of what a Prometheus holds, for where there is no Grafana:
//   npx tsx test/pictures/main.ts http://127.0.0.1:9090 30 docs/images [model=digits …]        the last 30 minutes of it

const WIDTH = 1400;
const COLUMN = WIDTH / 24;
const ROW = 38;
const STYLE = `body{margin:0;background:#111217;color:#ccccdc;font:12px sans-serif;position:relative;width:${WIDTH}px}
.panel{position:absolute;background:#181b1f;border:1px solid #2c3235;border-radius:3px;box-sizing:border-box;overflow:hidden}
.panel h2{font:600 13px sans-serif;margin:8px 10px 4px}.row{position:absolute;font:600 15px sans-serif;padding:8px}
h1{font:600 18px sans-serif;margin:12px 10px}.nothing{color:#808080;text-align:center;padding-top:30px}
svg text{fill:#9fa7b3;font-size:11px}.grid{stroke:#2c3235}.legend{overflow:hidden;padding:0 10px;font-size:11px}
.legend span{display:inline-block;margin-right:12px;white-space:nowrap}.legend i{display:inline-block;width:12px;height:4px;margin-right:5px;vertical-align:middle}
table{border-collapse:collapse;width:100%;font-size:12px}th{text-align:left;color:#6e9fff;padding:4px 8px}td{border-top:1px solid #2c3235;padding:4px 8px}.figure{text-align:right}
.numbers{display:flex;height:100%;gap:2px}.number{flex:1;text-align:center;padding-top:12px;min-width:0;overflow:hidden}.number b{font-size:30px;display:block}.number small{display:block;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}`;

async function pageOf(url: string, dashboard: Dashboard, range: TimeRange): Promise<string> {
  const parts: string[] = [];
  for (const row of (dashboard.panels ?? []).filter(({ type }) => type === 'row'))
    parts.push(
      `<div class="row" style="top:${(row.gridPos?.y ?? 0) * ROW + 44}px">${escapeHtml(row.title ?? '')}</div>`,
    );
  for (const panel of panelsOf(dashboard)) {
    const { x = 0, y = 0, w = 24, h = 8 } = panel.gridPos ?? {};
    const width = w * COLUMN - 6;
    const inside = drawPanel(panel, await askPanel(url, panel, range), range, width - 2);
    const place = `left:${x * COLUMN + 3}px;top:${y * ROW + 47}px;width:${width}px;height:${h * ROW - 6}px`;
    parts.push(
      `<div class="panel" style="${place}"><h2>${escapeHtml(panel.title ?? '')}</h2>${inside}</div>`,
    );
  }
  const bottom = Math.max(...panelsOf(dashboard).map(({ gridPos }) => (gridPos?.y ?? 0) + (gridPos?.h ?? 0)));
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}body{height:${bottom * ROW + 50}px}</style><h1>${escapeHtml(dashboard.title ?? '')}</h1>${parts.join('')}`;
}

const [url = 'http://127.0.0.1:9090', minutes = '30', folder = 'docs/images', ...choices] =
  process.argv.slice(2);
const chosenValues = Object.fromEntries(choices.map((choice) => choice.split('=') as [string, string]));
const executablePath = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
].find(existsSync);
if (executablePath === undefined) throw new Error('there is no Chromium');
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const to = Math.floor(Date.now() / 1000);
for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
  const html = await pageOf(url, dashboard, {
    from: to - Number(minutes) * 60,
    to,
    chosenValues: name === 'fleet' ? {} : chosenValues,
  });
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 800 } });
  await page.setContent(html);
  const file = join(folder, `dashboard-${name}.png`);
  await sharp(await page.screenshot({ fullPage: true }))
    .resize({ width: 860 })
    .png({ palette: true, colours: 20, dither: 0, effort: 10, compressionLevel: 9 })
    .toFile(file);
  process.stderr.write(`${file}\n`);
  await page.close();
}
await browser.close();
