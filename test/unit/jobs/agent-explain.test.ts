import { readFileSync } from 'node:fs';
import { Value } from 'typebox/value';
import { expect, it } from 'vitest';
import { SensitivitySchema } from '../../../src/api/sensitivity-schema.ts';
import { agentOf, idle } from '../../support/agent-of.ts';
import { unwrap } from '../../support/unwrap.ts';

it('an order to explain leads to a sensitivity of the form that the API describes', async () => {
  const { agent, store } = agentOf(['tiny']);
  agent.start();
  await idle(store);
  const run = unwrap(agent.order({ model: 'tiny', order: { kind: 'explain' } }));
  await idle(store);
  expect(agent.getRun(run.id)).toMatchObject({ state: 'succeeded' });
  const file = agent.records.sensitivity(run.id, 'int8') as string;
  expect([...Value.Errors(SensitivitySchema, JSON.parse(readFileSync(file, 'utf8')))]).toEqual([]);
  await agent.stop();
});
