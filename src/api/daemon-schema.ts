import Type from 'typebox';
import { oneOf, text } from './schema-words.ts';

export const OverviewSchema = Type.Object(
  {
    name: Type.Literal('ptq-agent'),
    version: text('of the program'),
    apiVersion: text('of this API'),
    models: Type.Array(Type.String(), { description: 'names of the registered models' }),
    endpoints: Type.Record(Type.String(), Type.String(), { description: 'what can be asked' }),
  },
  { title: 'Overview' },
);

export const HealthSchema = Type.Object({ status: Type.Literal('healthy') }, { title: 'Health' });

export const ReadinessSchema = Type.Object(
  { status: oneOf(['ready', 'starting', 'stopping'], 'where the daemon is between its start and its end') },
  { title: 'Readiness' },
);
