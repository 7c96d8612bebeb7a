import Type from 'typebox';

/** Short forms of what schemas of answers say again and again. */
export const text = (description: string) => Type.String({ description });
export const number = (description: string) => Type.Number({ description });
export const integer = (description: string) => Type.Integer({ description, minimum: 0 });
export const boolean = (description: string) => Type.Boolean({ description });
export const time = (description: string) => Type.String({ description, format: 'date-time' });

/** A figure that may be unknown. */
export const numberOrNull = (description: string) =>
  Type.Union([Type.Number(), Type.Null()], { description });

export const textOrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(words: T, description: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...words], description });
