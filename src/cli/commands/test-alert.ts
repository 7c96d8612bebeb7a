import { Command } from 'commander';
import { loadSettings } from '../../config/settings.ts';
import { problem } from '../../core/problem.ts';
import { sendAlerts } from '../../webhook/webhook.ts';
import { alertSender } from '../daemon/alert-sender.ts';
import { EXIT } from '../exit-code.ts';
import { printProblems, printResult, type Terminal } from '../terminal.ts';

interface Options {
  readonly config: string;
  readonly json: boolean;
}

export function testAlertCommand(terminal: Terminal, exit: (code: number) => void): Command {
  return new Command('test-alert')
    .description(
      'sends a test to the webhook of the settings, firing and then resolved, and tells what it answered',
    )
    .requiredOption('--config <file>', 'the settings of ptq-agent serve')
    .option('--json', 'print JSON', false)
    .action(async (options: Options) => exit(await testAlert(terminal, options)));
}

async function testAlert(terminal: Terminal, { config, json }: Options): Promise<number> {
  const loaded = await loadSettings(config);
  if (!loaded.ok) return printProblems(terminal, loaded.error);
  const { webhook } = loaded.value.watch;
  if (webhook === undefined) {
    return printProblems(terminal, [
      problem('no-webhook', 'the settings name no webhook', {
        place: { file: config, field: '/watch/webhook' },
        hint: 'add "watch: { webhook: { url: https://… } }"; docs/watching.md has an example',
      }),
    ]);
  }
  const { instance, url } = alertSender(loaded.value);
  const startsMs = Date.now();
  for (const status of ['firing', 'resolved'] as const) {
    const alert = {
      ...{ status, startsMs, url, ...(status === 'resolved' ? { endsMs: Date.now() } : {}) },
      labels: { alertname: 'PtqTest', severity: 'info', job: 'ptq-agent', instance },
      annotations: { summary: `a test of ptq-agent on ${instance}`, description: 'Nothing is wrong.' },
    };
    const { kind, reason = '', status: answered } = await sendAlerts(webhook, [alert]);
    if (kind === 'sent') continue;
    return printProblems(terminal, [
      problem('webhook-failed', `the webhook did not take the ${status} test: ${reason}`, {
        hint:
          answered === undefined
            ? 'is it up, is its address right, and is its certificate trusted ("caFile")?'
            : 'its own log says why; a token belongs into "tokenFile"',
      }),
    ]);
  }
  printResult(terminal, { sent: 2 }, json, () => 'the webhook took the test, firing and resolved');
  return EXIT.done;
}
