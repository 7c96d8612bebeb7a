import Type from 'typebox';

/** Of a list: where it goes on. */
export const NextPageSchema = Type.Optional(
  Type.String({
    format: 'uri-reference',
    description: 'the next page, as in the header Link; absent on the last one',
  }),
);
