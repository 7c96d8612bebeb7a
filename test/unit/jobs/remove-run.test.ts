import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { removeRun } from '../../../src/jobs/remove-run.ts';
import { MARK_FILE, markText } from '../../../src/trace/run-layout.ts';
import { agentOf, idle } from '../../support/agent-of.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('removing a run', () => {
  it('takes its record, files and trace, and leaves those of others', async () => {
    const logdir = temporaryFolder();
    const trace = (run: string) => {
      for (const tree of ['plugins/profile', 'perfetto']) {
        mkdirSync(join(logdir, tree, run), { recursive: true });
        writeFileSync(join(logdir, tree, run, MARK_FILE), markText(5));
      }
      return { result: { variants: [], trace: { run } } };
    };
    const { agent, store } = agentOf([], { traces: () => ({ logdir, maxCount: 9, maxBytes: 1e9 }) });
    const [gone, stays] = [trace('gone'), trace('stays')].map(({ result }) => {
      const { id } = store.createRun({ kind: 'bench', model: 'tiny', request: {} });
      store.startRun(id);
      store.finishRun(id, result);
      return id;
    });
    expect(await agent.removeRun(gone ?? '')).toEqual({ ok: true, value: undefined });
    expect(agent.listRuns({ limit: 9 }).map(({ id }) => id)).toEqual([stays]);
    for (const tree of ['plugins/profile', 'perfetto'])
      expect(readdirSync(join(logdir, tree))).toEqual(['stays']);
    expect(await agent.removeRun(gone ?? '')).toMatchObject({ ok: false, error: { kind: 'unknown-run' } });
  });

  it('leaves a trace that somebody reads', async () => {
    const logdir = temporaryFolder();
    const read = join(logdir, 'plugins/profile', 'read');
    mkdirSync(read, { recursive: true });
    writeFileSync(join(read, MARK_FILE), markText(5));
    const { store } = agentOf([]);
    const { id } = store.createRun({ kind: 'bench', model: 'tiny', request: {} });
    store.startRun(id);
    store.finishRun(id, { variants: [], trace: { run: 'read' } });
    const removed = await removeRun(id, { store, logdir, reading: ['read'], logger: silentLogger });
    expect(removed).toEqual({ ok: true, value: undefined });
    expect(store.getRun(id)).toBeUndefined();
    expect(existsSync(read)).toBe(true);
  });

  it('is refused while it waits or runs', async () => {
    const { agent, store } = agentOf(['wait']);
    const { id } = store.createRun({ kind: 'bench', model: 'wait', request: { kind: 'bench' } });
    expect(await agent.removeRun(id)).toMatchObject({
      ok: false,
      error: { kind: 'run-not-ended', message: 'the run is queued' },
    });
    expect(store.getRun(id)).toBeDefined();
  });

  it('lets the daemon go on as if it had never been', async () => {
    const { agent, store } = agentOf(['tiny']);
    agent.start();
    await idle(store);
    const [{ id } = { id: '' }] = store.listRuns({ limit: 1 });
    await agent.removeRun(id);
    expect(agent.listModels()[0]?.run).toBeUndefined();
    expect((await agent.renderMetrics()).body).toContain('ptq_jobs{state="succeeded"} 0');
    await agent.stop();
  });
});
