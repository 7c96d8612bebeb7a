import { expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { openStore } from '../../../src/store/store.ts';
import { agentOf, idle, statesOf } from '../../support/agent-of.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const YEAR_MS = 365 * 86_400_000;

it('a daemon whose clock was set back by a year keeps the order of its runs, and works nothing through again', async () => {
  const dataDir = temporaryFolder();
  const before = unwrap(openStore(dataDir));
  const { agent: first } = agentOf(['tiny'], { store: before });
  first.start();
  await idle(before);
  await first.stop();
  before.close();

  const clock = { ...systemClock, wallMs: () => systemClock.wallMs() - YEAR_MS };
  const store = unwrap(openStore(dataDir, clock));
  const { agent } = agentOf(['tiny'], { store, clock });
  agent.start();
  const ordered = unwrap(agent.order({ model: 'tiny', order: { kind: 'bench', scenario: 'offline' } }));
  await vi.waitFor(() => expect(agent.getRun(ordered.id)?.state).toBe('succeeded'), { timeout: 20_000 });
  expect(statesOf(store)).toEqual(['tiny pipeline succeeded', 'tiny bench succeeded']);
  expect(agent.listModels()[0]?.run?.id).not.toBe(ordered.id);
  await agent.stop();
  store.close();
});
