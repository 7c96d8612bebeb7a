import type { ConfinementPolicy } from './policy.ts';

/** What the launcher is told, as JSON in its one argument. */
export interface LaunchOrder {
  readonly policy: ConfinementPolicy;
  /** Words after the name of this program: switches of Node.js, and the file to run. */
  readonly words: readonly string[];
  /** The variable NODE_OPTIONS of the program. The launcher is started without: what it names would run before anything is forbidden. */
  readonly nodeOptions?: string;
  /** Nothing is started where a part of the policy cannot be carried out; otherwise what can be is. */
  readonly isRequired: boolean;
}

/** What the launcher's last words start with where it started nothing. */
export const REFUSAL = 'cannot confine: ';
