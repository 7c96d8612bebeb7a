import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { createServer } from '../../src/server/create-server.ts';
import { findPeerPython } from '../perf/peer-subjects.ts';
import { agentOf, idle } from '../support/agent-of.ts';
import { NEVER_RELOADED, OPEN, TOKEN } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

// Schemathesis (https://schemathesis.io) reads the description of the API and sends what it allows and what it does not to a real
// server over a real agent and store, whose workers answer made-up results. No answer may be a fault of the server's, or one that
// is not described, of another form than described, or a yes to what is not allowed.

const python = process.env['PTQ_SCHEMATHESIS_PYTHON'] ?? findPeerPython().python;
const program = python === undefined ? '' : join(dirname(python), 'schemathesis');
const SETTINGS = {
  listen: { host: '127.0.0.1', port: 9477 },
  profilesDir: '/profiles',
  dataDir: '/data',
  samplerIntervalMs: 250,
};
const EXAMPLES = Number(process.env['PTQ_FUZZ_EXAMPLES'] ?? 5);

describe('the API under schemathesis', () => {
  if (!existsSync(program)) {
    const reason = 'no Python of PTQ_SCHEMATHESIS_PYTHON or PTQ_PEER_PYTHON with schemathesis';
    it(`is not tested: ${reason}`, (context) => {
      context.skip(reason);
    });
    return;
  }

  it('answers what is described, whatever comes', { timeout: 300_000 }, async () => {
    const { agent, store, setSampler } = agentOf(['tiny', 'small']);
    setSampler('down');
    const app = createServer(
      agent,
      { version: '1.2.3', reloader: NEVER_RELOADED, settings: () => SETTINGS },
      silentLogger,
      () => OPEN,
    );
    onTestFinished(async () => {
      await app.close();
      await agent.stop();
    });
    agent.start();
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const { id } = unwrap(agent.order({ model: 'tiny', order: { kind: 'bench' } }));
    await idle(store);
    const { code, output } = await run(url, id);
    expect(output).toContain('API Operations');
    expect(code, output).toBe(0);
  });
});

function run(url: string, id: string): Promise<{ readonly code: number; readonly output: string }> {
  const folder = temporaryFolder();
  // What is right by the schema and names what is not there is answered with 422.
  const settings = `
[parameters]
"path.id" = "${id}"
"path.model" = "tiny"
"path.variant" = "int8"
"path.kind" = "queue-full"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", 404, 409, 412, 416, 422, 429]
`;
  writeFileSync(join(folder, 'schemathesis.toml'), settings);
  const args = [
    'run',
    `${url}/openapi.json`,
    ...['--header', `Authorization: Bearer ${TOKEN}`],
    // Answers that do not end by themselves; what real workers answer; files of a build.
    ...['--exclude-path-regex', '^/telemetry$|/events$|/timeline$|^/assets/'],
    ...['--phases', 'examples,coverage,fuzzing'],
    ...['--max-examples', String(EXAMPLES)],
    '--generation-deterministic',
    '--no-color',
  ];
  return new Promise((resolve) => {
    execFile(program, args, { cwd: folder, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? 1);
      resolve({ code, output: `${stdout}\n${stderr}`.slice(-20_000) });
    });
  });
}
