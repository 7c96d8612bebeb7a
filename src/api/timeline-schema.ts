import Type from 'typebox';
import { boolean, integer, number, text, time } from './schema-words.ts';

const values = (description: string) =>
  Type.Optional(Type.Array(Type.Union([Type.Number(), Type.Null()]), { description }));

/** Columns of a run's timeline. */
export const TimelineSchema = Type.Object(
  {
    run: Type.Optional(text('the run')),
    model: Type.Optional(text('its model')),
    startedAt: Type.Optional(time('when the timeline began')),
    complete: boolean('it was closed; otherwise it is still being written, or its writer died'),
    startSeconds: number("since the timeline's first snapshot"),
    stepSeconds: number('between points'),
    points: integer('in every column'),
    columns: Type.Array(
      Type.Object({
        name: Type.String(),
        mean: values('one a point; null where nothing was read'),
        min: values('one a point'),
        max: values('one a point'),
      }),
    ),
    phases: Type.Array(
      Type.Object({
        phase: Type.String(),
        subject: Type.Optional(text('what was worked on')),
        startSeconds: Type.Number(),
        endSeconds: Type.Number(),
      }),
    ),
  },
  {
    title: 'Timeline',
    description: 'columns of a timeline for a plot; times are seconds since its first snapshot',
  },
);
