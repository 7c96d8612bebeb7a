import Type from 'typebox';
import { RunProblemSchema } from './problem-schema.ts';
import { boolean, oneOf, time } from './schema-words.ts';

const RELOAD_TRIGGERS = ['start', 'signal', 'request', 'files', 'retry'] as const;

const names = (description: string) => Type.Array(Type.String(), { description });

/** How the daemon last took up its settings and profiles. */
export const ReloadStatusSchema = Type.Object(
  {
    successful: boolean('whether what lies on the disk is in use'),
    trigger: oneOf(RELOAD_TRIGGERS, 'why it was read the last time'),
    attemptedAt: time('when it was read the last time'),
    succeededAt: Type.Optional(
      time('when what is in use was taken up; absent where a profile was left out from the start'),
    ),
    problems: Type.Array(RunProblemSchema, { description: 'why it was not taken up' }),
    changes: Type.Object(
      {
        models: Type.Object({
          added: names('registered since'),
          removed: names('not registered any more'),
          changed: names('registered with another profile'),
        }),
        settings: names('settings that have another value'),
        restartNeeded: names('settings whose new value is used only after a restart'),
      },
      { description: 'what the last reload that succeeded changed' },
    ),
  },
  { title: 'ReloadStatus', description: 'how settings and profiles were last taken up' },
);
