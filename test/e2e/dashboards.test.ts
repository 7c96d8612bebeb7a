import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DASHBOARDS } from '../../dashboards/source/all.ts';
import { ended, firstRun, startDaemon, until } from '../support/daemon.ts';
import { queriesOf } from '../support/lint-dashboard.ts';
import { isBuilt, writeProfile } from '../support/program.ts';
import { hasPrometheus, type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { chosen, metricsIn } from '../support/queries.ts';
import { startRecordedAgent } from '../support/recorded-agent.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const QUERIES = Object.entries(DASHBOARDS).flatMap(([dashboard, of]) =>
  queriesOf(of).map(({ panel, expr }) => ({ dashboard, panel, expr })),
);

/** The selectors of a query, everything chosen of one job. */
function selectorsIn(expr: string, job: string): readonly string[] {
  return [...chosen(expr.replaceAll('$job', job)).matchAll(/\w+\{[^}]*\}/g)].map(([selector]) => selector);
}

/** What shows nothing in the dashboards when only this job is chosen, though each selector of it finds series. */
async function emptyPanels(prometheus: Prometheus, job: string): Promise<readonly string[]> {
  const empty: string[] = [];
  for (const { dashboard, panel, expr } of QUERIES) {
    const found = await Promise.all(selectorsIn(expr, job).map((selector) => prometheus.series(selector)));
    if (found.some((series) => series.length === 0)) continue;
    const asked = chosen(expr.replaceAll('$job', job));
    if ((await prometheus.series(asked)).length === 0) empty.push(`${dashboard}, ${panel}: ${asked}`);
  }
  return empty;
}

const missing = !isBuilt ? 'skipped where `npm run build` was not run' : 'skipped without Prometheus';

describe.skipIf(!isBuilt || !hasPrometheus)(`panels in a real Prometheus (${missing})`, () => {
  it('all show something of an agent on a host that has everything', async () => {
    const agent = await startRecordedAgent();
    onTestFinished(agent.stop);
    const prometheus = await startPrometheus(temporaryFolder(), { recorded: agent.address });
    onTestFinished(prometheus.stop);
    await until(async () => {
      const scrapes = await prometheus.series('count_over_time(up{job="recorded"}[1m]) > 3');
      return scrapes.length > 0 || undefined;
    });
    const absent = await Promise.all(
      [...new Set(QUERIES.flatMap(({ expr }) => metricsIn(expr)))].map(async (metric) =>
        (await prometheus.series(`${metric}{job="recorded"}`)).length === 0 ? metric : undefined,
      ),
    );
    expect(absent.filter((metric) => metric !== undefined)).toEqual([]);
    expect(await emptyPanels(prometheus, 'recorded')).toEqual([]);
  }, 120_000);

  it('show what a real agent has after a run', async () => {
    const folder = temporaryFolder();
    const profiles = join(folder, 'profiles');
    mkdirSync(profiles);
    writeProfile(profiles, 'digits');
    const daemon = await startDaemon(profiles, join(folder, 'data'));
    onTestFinished(async () => {
      daemon.child.kill('SIGKILL');
      await daemon.finished;
    });
    const prometheus = await startPrometheus(join(folder, 'prometheus'), {
      agent: new URL(daemon.url).host,
    });
    onTestFinished(prometheus.stop);
    const run = await firstRun(daemon);
    expect(await ended(daemon, run.id)).toMatchObject({ state: 'succeeded' });
    // Of queries and inferences the first benchmark makes the series, and the second makes them grow.
    const again = await daemon.order({ model: 'digits', scenario: 'single-stream', durationSeconds: 1 });
    expect(await ended(daemon, again.id)).toMatchObject({ state: 'succeeded' });
    const verdict = 'ptq_accuracy_verdict{job="agent", model="digits", variant="int8"} == 1';
    await until(async () => (await prometheus.series(verdict))[0]);
    expect(await emptyPanels(prometheus, 'agent')).toEqual([]);
  }, 180_000);
});
