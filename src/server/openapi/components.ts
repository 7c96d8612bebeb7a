import type { TSchema } from 'typebox';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Schemas that have a title, under that title, with references where they were. */
export interface Components {
  /** The schema as a description has it. */
  place(schema: TSchema): Json;
  readonly schemas: Readonly<Record<string, Json>>;
}

/** Two schemas of one title must be one: a reader could not tell them apart. */
export function createComponents(): Components {
  const schemas: Record<string, Json> = {};

  const place = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(place);
    if (typeof value !== 'object' || value === null) return value;
    const inside = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, place(part)]));
    const { title } = inside;
    if (typeof title !== 'string') return inside;
    const known = schemas[title];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(inside))
      throw new Error(`two schemas are called ${title}`);
    schemas[title] = inside;
    return { $ref: `#/components/schemas/${title}` };
  };

  return {
    // What TypeBox keeps beside a schema is not enumerable, so that its JSON is the schema alone.
    place: (schema) => place(JSON.parse(JSON.stringify(schema)) as Json),
    schemas,
  };
}
