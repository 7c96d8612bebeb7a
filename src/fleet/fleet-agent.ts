import type { Client } from '../client/client.ts';
import type { Target } from './target.ts';

/** An agent and how it is asked. */
export interface FleetAgent {
  readonly target: Target;
  /** Null where it cannot be asked; the target's note says why. */
  readonly client: Client | null;
}

/** How much is asked at once. */
export interface FanOut {
  readonly parallel: number;
}
