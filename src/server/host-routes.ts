import type { FastifyInstance } from 'fastify';
import { HostSchema, SettingsSchema } from '../api/host-schema.ts';
import { json } from '../api/operation.ts';
import type { AgentSettings } from '../config/settings.ts';
import type { Agent } from '../jobs/agent.ts';
import { describe } from './openapi/describe.ts';

const HostOperation = describe({
  id: 'getHost',
  tag: 'host',
  summary: 'What the host is and has: hardware, devices, versions',
  answers: { 200: json(HostSchema, 'The host') },
});

const SettingsOperation = describe({
  id: 'getSettings',
  tag: 'host',
  summary: 'The settings of the daemon, without secrets',
  answers: { 200: json(SettingsSchema, 'What it goes by now') },
});

/** @param settings those that hold now */
export function addHostRoutes(
  app: FastifyInstance,
  agent: Pick<Agent, 'host'>,
  settings: () => Partial<AgentSettings>,
): void {
  app.get('/host', HostOperation, () => agent.host.read());
  app.get('/settings', SettingsOperation, async () => settings());
}
