import Type from 'typebox';
import { integer, text } from './schema-words.ts';

/** RFC 9457, with what to do and the fields that are wrong. */
export const ProblemDetailsSchema = Type.Object(
  {
    type: Type.String({
      format: 'uri-reference',
      description: 'names the type of problem; the page under it says what it means',
    }),
    title: text('the type in words'),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'of the answer' }),
    detail: text('what happened this time'),
    hint: Type.Optional(text('what to do')),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: text(
            'JSON pointer (RFC 6901) to the field of the body, the query string or the file; empty for all of it',
          ),
          detail: text('what is wrong with it'),
          hint: Type.Optional(text('what to do')),
          file: Type.Optional(text('the file on the host that is wrong, where it is no request that is')),
          line: Type.Optional(integer('of the file, from 1')),
        }),
        { description: 'the fields of the request, or of files on the host, that are wrong' },
      ),
    ),
  },
  { title: 'ProblemDetails', description: 'why a request was not answered as asked (RFC 9457)' },
);

/** A type of problem. */
export const ProblemTypeSchema = Type.Object(
  {
    type: Type.String({ format: 'uri-reference', description: 'as answers have it' }),
    title: text('in words'),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'of the answers' }),
    meaning: text('what has happened'),
    whatToDo: text('about it'),
  },
  { title: 'ProblemType', description: 'what a type of problem means' },
);

export const ProblemTypeListSchema = Type.Object(
  { problems: Type.Array(ProblemTypeSchema) },
  { title: 'ProblemTypeList' },
);

/** Why a run ended as it did. */
export const RunProblemSchema = Type.Object(
  {
    kind: text('stable, for programs'),
    message: text('a sentence'),
    hint: Type.Optional(text('what to do')),
    place: Type.Optional(
      Type.Object(
        {
          file: Type.Optional(Type.String()),
          line: Type.Optional(integer('from 1')),
          column: Type.Optional(integer('from 1')),
          field: Type.Optional(text('JSON pointer into a settings file')),
          node: Type.Optional(Type.String()),
          tensor: Type.Optional(Type.String()),
          sample: Type.Optional(integer('index of the sample in its split')),
        },
        { description: 'where it lies, as far as that is known' },
      ),
    ),
  },
  { title: 'Problem', description: 'why a run failed' },
);
