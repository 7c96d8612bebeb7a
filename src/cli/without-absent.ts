type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Leaves out the fields that are `undefined`, so that defaults can stand in their place. */
export function withoutAbsent<T extends object>(
  fields: T,
): Partial<Present<T>> & Pick<Present<T>, RequiredKeys<T>> {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Partial<Present<T>> & Pick<Present<T>, RequiredKeys<T>>;
}

type RequiredKeys<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T];
