import { isDeepStrictEqual } from 'node:util';
import type { Profile } from '../config/profile.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

/** What one set of profiles has that another has not. Names of models, in the order of their profiles. */
export interface ModelChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Registered before and now, with another profile. */
  readonly changed: readonly string[];
}

/** The models that the daemon knows at the moment. They change as a whole; whoever works with a profile keeps the one it began with. */
export class ModelRegistry {
  #byName: ReadonlyMap<string, Profile> = new Map();

  constructor(profiles: readonly Profile[]) {
    this.replace(profiles);
  }

  get all(): readonly Profile[] {
    return [...this.#byName.values()];
  }

  get(name: string): Profile | undefined {
    return this.#byName.get(name);
  }

  keys(): MapIterator<string> {
    return this.#byName.keys();
  }

  /** Registers these models and no others. A profile that is as it was stays the same object. */
  replace(profiles: readonly Profile[]): ModelChanges {
    const before = this.#byName;
    const now = new Map(
      profiles.map((profile) => {
        const known = before.get(profile.name);
        return [profile.name, isDeepStrictEqual(known, profile) ? (known as Profile) : profile] as const;
      }),
    );
    this.#byName = now;
    const names = [...now.keys()];
    return {
      added: names.filter((name) => !before.has(name)),
      removed: [...before.keys()].filter((name) => !now.has(name)),
      changed: names.filter((name) => before.has(name) && before.get(name) !== now.get(name)),
    };
  }
}

/** The profile of a model that a request names under `model`. Error: `unknown-model`. */
export function registeredModel(
  models: Pick<ReadonlyMap<string, Profile>, 'get' | 'keys'>,
  name: string,
): Result<Profile, Problem> {
  const profile = models.get(name);
  if (profile !== undefined) return ok(profile);
  return err(
    problem('unknown-model', `no model '${name}' is registered`, {
      place: { field: '/model' },
      hint: `registered are: ${[...models.keys()].join(', ') || 'none'}`,
    }),
  );
}
