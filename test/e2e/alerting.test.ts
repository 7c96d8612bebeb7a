import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasAlertmanager, startAlertmanager, startWebhookReceiver } from '../support/alertmanager.ts';
import { type Daemon, ended, firstRun, startDaemon, until } from '../support/daemon.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt } from '../support/program.ts';
import { hasPrometheus, startPrometheus } from '../support/prometheus.ts';
import { ALERTS } from '../support/promtool.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { writeWorseDigits } from '../support/worse-model.ts';

const RULES = readdirSync(ALERTS).map((file) => join(ALERTS, file));

/** A profile whose model is a file of its own that can be replaced. */
function writeReplaceable(profiles: string): string {
  const home = join(profiles, 'digits');
  mkdirSync(home, { recursive: true });
  const model = join(home, 'digits.onnx');
  copyFileSync(DIGITS_MODEL, model);
  writeFileSync(
    join(home, 'profile.yaml'),
    `name: digits
model: digits.onnx
data: { path: ${DIGITS_DATA}, calibration: { samples: 16 }, evaluation: { samples: 200 } }
task: classification
variants: [ { name: int8, recipe: static-int8 } ]
budget: { metric: top1, absolute: 0.05 }
bench: { threads: 1, scenarios: [ { scenario: single-stream, duration: 300ms, processes: 1 } ] }
schedule: { onChange: false }
`,
  );
  return model;
}

async function evaluate(daemon: Daemon): Promise<void> {
  const answer = await daemon.post('/evaluate', { model: 'digits' });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { readonly id: string };
  expect(await ended(daemon, id)).toMatchObject({ state: 'succeeded' });
}

const missing = !isBuilt
  ? 'skipped where `npm run build` was not run'
  : 'skipped without Prometheus and Alertmanager';

describe.skipIf(!isBuilt || !hasPrometheus || !hasAlertmanager)(`alerts (${missing})`, () => {
  it('reach webhooks when a model is replaced by a worse one, end when the old one is back, and come for nothing else', async () => {
    const folder = temporaryFolder();
    const profiles = join(folder, 'profiles');
    const model = writeReplaceable(profiles);
    const direct = await startWebhookReceiver();
    onTestFinished(direct.stop);
    const settings = join(folder, 'agent.yaml');
    writeFileSync(settings, `watch: { webhook: { url: '${direct.url}' } }\n`);
    const daemon = await startDaemon(profiles, join(folder, 'data'), { args: ['--config', settings] });
    onTestFinished(async () => {
      daemon.child.kill('SIGKILL');
      await daemon.finished;
    });
    const receiver = await startWebhookReceiver();
    onTestFinished(receiver.stop);
    const alertmanager = await startAlertmanager(join(folder, 'alertmanager'), receiver.url);
    onTestFinished(alertmanager.stop);
    const instance = new URL(daemon.url).host;
    const prometheus = await startPrometheus(
      join(folder, 'prometheus'),
      { 'ptq-agent': instance },
      { ruleFiles: RULES, alertmanager: alertmanager.address },
    );
    onTestFinished(prometheus.stop);
    const regressions = () =>
      receiver.alerts().filter(({ labels }) => labels['alertname']?.endsWith('Regressed'));
    const showsState = (state: string) =>
      until(async () => {
        const steady = await prometheus.series(`ptq_accuracy_state{model="digits", state="${state}"} == 1`);
        return steady.length === 2 || undefined;
      });

    // The same model again and again.
    expect(await ended(daemon, (await firstRun(daemon)).id)).toMatchObject({ state: 'succeeded' });
    for (let again = 0; again < 2; again += 1) await evaluate(daemon);
    await showsState('steady');
    expect(regressions()).toEqual([]);

    writeWorseDigits(model);
    await evaluate(daemon);
    const fired = await until(() => {
      const firing = regressions();
      return firing.length >= 2 ? firing : undefined;
    });
    const shared = {
      alertname: 'PtqAccuracyRegressed',
      job: 'ptq-agent',
      instance,
      model: 'digits',
      severity: 'critical',
      state: 'regressed',
    };
    expect(fired.map(({ status, labels }) => ({ status, labels }))).toEqual(
      expect.arrayContaining(
        ['fp32', 'int8'].map((variant) => ({ status: 'firing', labels: { ...shared, variant } })),
      ),
    );
    const { series, events } = (await (await daemon.get('/models/digits/watch')).json()) as {
      readonly series: readonly {
        readonly kind: string;
        readonly variant: string;
        readonly accuracy?: { readonly lossToBaseline: number };
      }[];
      readonly events: readonly { readonly causes: readonly { readonly kind: string }[] }[];
    };
    const drop =
      series.find(({ kind, variant }) => kind === 'accuracy' && variant === 'fp32')?.accuracy
        ?.lossToBaseline ?? 0;
    expect(drop).toBeGreaterThan(0.05);
    const ofFp32 = fired.find(({ labels }) => labels['variant'] === 'fp32');
    expect(ofFp32?.annotations['summary']).toBe(
      `fp32 of digits on ${instance} lost more accuracy than its budget allows`,
    );
    // The figure as Prometheus writes it: four significant digits.
    expect(ofFp32?.annotations['description']).toContain(
      `top1 is ${Number((drop * 100).toPrecision(4))}% below the baseline.`,
    );
    expect(ofFp32?.annotations['runbook']).toBe('docs/runbooks/PtqAccuracyRegressed.md');
    expect(events.flatMap(({ causes }) => causes.map(({ kind }) => kind))).toContain('model');

    // What moved in the quantized model is found a moment later.
    const moved = await until(async () => {
      const { events: all } = (await (await daemon.get('/models/digits/watch')).json()) as {
        readonly events: readonly {
          readonly kind: string;
          readonly causes: readonly { readonly words: string }[];
        }[];
      };
      return all.find(({ kind }) => kind === 'layers');
    });
    expect(moved.causes.map(({ words }) => words).join()).toMatch(/is new|dB from what it was/);

    copyFileSync(DIGITS_MODEL, model);
    await evaluate(daemon);
    await until(() => regressions().filter(({ status }) => status === 'resolved').length >= 2 || undefined);
    await evaluate(daemon);
    await showsState('steady');
    expect(new Set(regressions().map(({ status, labels }) => `${status} ${labels['variant']}`))).toEqual(
      new Set(['firing fp32', 'firing int8', 'resolved fp32', 'resolved int8']),
    );
    // Without Prometheus the daemon tells the same, of nothing else.
    await until(() => direct.alerts().length >= 4 || undefined);
    expect(
      direct
        .alerts()
        .map(({ status, labels }) => `${status} ${labels['alertname']} ${labels['variant']}`)
        .sort(),
    ).toEqual([
      'firing PtqAccuracyRegressed fp32',
      'firing PtqAccuracyRegressed int8',
      'resolved PtqAccuracyRegressed fp32',
      'resolved PtqAccuracyRegressed int8',
    ]);
  }, 300_000);
});
