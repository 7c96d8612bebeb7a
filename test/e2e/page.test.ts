import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { searchRecipes } from '../../src/jobs/search/search-recipes.ts';
import { type Daemon, ended, startDaemon, until } from '../support/daemon.ts';
import { fakeSearchDeps, fakeSearchRequest, fakeSearchWorkers } from '../support/fake-search-workers.ts';
import { isBuilt, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const CHROMIUM = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find(existsSync);

describe.skipIf(!isBuilt || CHROMIUM === undefined)(
  'the page (skipped where `npm run build` was not run, or there is no Chromium)',
  () => {
    let browser: Browser;
    let daemon: Daemon;
    let folder: string;
    let dataDir: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'ptq-agent-page-'));
      dataDir = join(folder, 'data');
      writeProfile(join(folder, 'profiles'), 'tiny', { duration: '1s', explain: true });
      // In a container Chromium cannot make its own sandbox; it sees nothing but this daemon.
      browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });
      daemon = await startDaemon(join(folder, 'profiles'), dataDir);
    });

    afterAll(async () => {
      await browser?.close();
      daemon?.child.kill('SIGTERM');
      await daemon?.finished;
      rmSync(folder, { recursive: true, force: true });
    });

    /** Opens a page of the daemon, which must neither fail nor break its own policy. */
    async function open(
      hash = '',
      options: Parameters<Browser['newPage']>[0] = {},
    ): Promise<Page & { readonly faults: string[] }> {
      const page = await browser.newPage(options);
      const faults: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      page.on('pageerror', ({ message }) => faults.push(message));
      await page.goto(`${daemon.url}/${hash}`);
      return Object.assign(page, { faults });
    }

    it('shows at a glance what runs, what is registered, and what the host does, as it happens', async () => {
      const page = await open();
      const progress = page.getByRole('progressbar', { name: 'progress of tiny' });
      await progress.waitFor();
      await page.getByText(/^(?:load|prepare|calibrate|quantize|write|evaluate|bench)\b.*: \d+/).waitFor();
      await page
        .locator('figure', { hasText: /^cpu \d+ %/ })
        .locator('canvas')
        .waitFor();
      await page
        .locator('figure', { hasText: /^memory [\d.]+ \w+/ })
        .locator('canvas')
        .waitFor();
      const [run] = await daemon.runs();
      await ended(daemon, run?.id ?? '');
      await page.getByText('Nothing runs.').waitFor();
      const int8 = page.getByRole('row', { name: /^int8/ });
      await int8.getByText(/×/).waitFor();
      expect(await int8.textContent()).toMatch(
        /(?:as accurate|within the budget|too few samples).*top1 (?:0\.\d+|1).*(?:µs|ms).*KiB/,
      );
      await page.getByText(/^Use (?:fp32|int8): /).waitFor();
      const download = page.waitForEvent('download');
      await int8.getByRole('link', { name: 'download' }).click();
      expect((await download).suggestedFilename()).toBe('tiny-int8.onnx');
      expect(page.faults).toEqual([]);
      await page.close();
    }, 90_000);

    it('shows a run with its phases and what the host did meanwhile', async () => {
      const page = await open();
      await page.getByRole('region', { name: 'Last runs' }).getByRole('link').first().click();
      await page.getByText(/^succeeded in/).waitFor();
      for (const phase of ['load', 'calibrate', 'quantize', 'write', 'evaluate', 'bench'])
        await page.getByRole('rowheader', { name: phase }).first().waitFor();
      await page.locator('figure', { hasText: 'Resident memory of workers' }).locator('canvas').waitFor();
      expect(page.faults).toEqual([]);
      await page.close();
    }, 180_000);

    it('gives out the trace of a run that has one', async () => {
      const { id } = await daemon.order({ model: 'tiny', durationSeconds: 0.3, trace: true });
      await ended(daemon, id);
      const page = await open(`#/runs/${id}`);
      for (const [name, file] of [
        ['for TensorBoard', /\.xplane\.pb$/],
        ['for Perfetto', /\.json\.gz$/],
      ] as const) {
        const download = page.waitForEvent('download');
        await page.getByRole('link', { name }).click();
        expect((await download).suggestedFilename()).toMatch(file);
      }
      expect(page.faults).toEqual([]);
      await page.close();
    }, 180_000);

    it('shows a model with what there is to choose between', async () => {
      const page = await open('#/models/tiny');
      await page
        .getByText(/the loss is|too few|could/i)
        .first()
        .waitFor();
      const picture = page.getByRole('img', { name: /fp32: median latency .*; int8: median latency/ });
      await picture.waitFor();
      const costs = page.getByRole('region', { name: 'What the nodes of int8 cost' });
      await costs.getByRole('row').nth(2).waitFor();
      const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
      page.on('dialog', (dialog) => dialog.accept(token));
      await costs.getByRole('button', { name: 'Explain anew: int8' }).click();
      await page.getByText('nodes explained').first().waitFor();
      await page.getByText(/^succeeded in/).waitFor();
      expect(page.faults.filter((fault) => !fault.includes('401'))).toEqual([]);
      await page.close();
    }, 180_000);

    it('shows what the search for a recipe chose between', async () => {
      const workers = fakeSearchWorkers(({ format }) =>
        format === 'static-int8' ? { sqnrDb: 31, seconds: 0.002 } : { sqnrDb: 44, seconds: 0.004 },
      );
      const search = unwrap(
        await searchRecipes(fakeSearchRequest(temporaryFolder()), fakeSearchDeps(workers)),
      );
      const page = await open();
      const href = '/models/tiny/variants/int8/search';
      // What the daemon would answer where the recipe was searched, which takes too long here.
      await page.route('**/models/tiny', async (route) => {
        const answer = await route.fetch();
        const model = (await answer.json()) as { variants: object[] };
        const variants = model.variants.map((of) => ('artifact' in of ? { ...of, search: href } : of));
        await route.fulfill({ response: answer, json: { ...model, variants } });
      });
      await page.route(`**${href}`, (route) => route.fulfill({ json: search }));
      await page.goto(`${daemon.url}/#/models/tiny`);
      const found = page.getByRole('region', { name: 'What the search for int8 chose between' }).first();
      await found.getByText(`It took ${search.choice.label}:`).waitFor();
      await found.getByRole('img', { name: /1: median latency 2\.00 ms, SQNR, dB 31; / }).waitFor();
      const chosen = found.getByRole('row', { name: /chosen/ });
      expect(await chosen.textContent()).toMatch(/static-int8 .*kept.*agreement 1\.0000.*31\.0.*2\.00 ms/);
      expect(await found.getByRole('link', { name: 'All of it as JSON' }).getAttribute('href')).toBe(href);
      expect(page.faults).toEqual([]);
      await page.close();
    }, 60_000);

    it('shows what is watched of a model, and takes a new baseline with a reason', async () => {
      const page = await open('#/models/tiny');
      const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
      page.on('dialog', (dialog) =>
        dialog.accept(dialog.message().startsWith('The token') ? token : 'because <b>we</b> retrained'),
      );
      await page.getByRole('row', { name: /^accuracy int8 steady/ }).waitFor();
      await page.getByRole('button', { name: 'New baseline: accuracy of int8' }).focus();
      await page.keyboard.press('Enter');
      // The section is drawn anew then, which closes what was opened before.
      const reason = page.getByText('because <b>we</b> retrained');
      await reason.waitFor({ state: 'attached' });
      await page.getByText('What happened').click();
      await reason.waitFor();
      expect(await page.getByRole('button', { name: /^Acknowledge/ }).count()).toBe(0);
      expect(page.faults.filter((fault) => !fault.includes('401'))).toEqual([]);
      await page.close();
    }, 180_000);

    it('orders and cancels for who has the token, by keyboard', async () => {
      const page = await open();
      const asked: string[] = [];
      const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
      page.on('dialog', async (dialog) => {
        asked.push(dialog.message());
        await dialog.accept(asked.length === 1 ? 'a wrong one' : token);
      });
      await page.getByRole('button', { name: 'Benchmark' }).focus();
      await page.keyboard.press('Enter');
      const cancel = page.getByRole('button', { name: 'Cancel' });
      await cancel.waitFor();
      expect(asked).toHaveLength(2);
      await cancel.focus();
      await page.keyboard.press('Enter');
      await page.getByText('Nothing runs.').waitFor();
      const [run] = await daemon.runs();
      expect(await until(async () => (await daemon.run(run?.id ?? '')).state === 'cancelled')).toBe(true);
      // The browser tells of the two answers 401; the page goes on.
      expect(page.faults.filter((fault) => !fault.includes('401'))).toEqual([]);
      await page.close();
    }, 180_000);

    it.each([
      ['a phone', { viewport: { width: 360, height: 740 } }],
      ['a phone, in the dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
      ['a screen', { viewport: { width: 1400, height: 900 } }],
    ] as const)(
      'fits %s',
      async (_what, options) => {
        for (const hash of ['', '#/models/tiny']) {
          const page = await open(hash, options);
          await page.getByRole('region', { name: 'Variants of tiny' }).waitFor();
          const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
          expect(overflow).toBeLessThanOrEqual(0);
          await page.close();
        }
      },
      180_000,
    );

    it.each([
      ['#/models/huge', /no model 'huge' is registered/],
      ['#/runs/none', /there is no run 'none'/],
      ['#/models/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E', /no model '<img src=x onerror=alert\(1\)>'/],
    ])('says what is wrong with %s, as text', async (hash, words) => {
      const page = await open(hash);
      await page.getByRole('alert').getByText(words).waitFor();
      expect(await page.locator('main img').count()).toBe(0);
      await page.close();
    });
  },
);
