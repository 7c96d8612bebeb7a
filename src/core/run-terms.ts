/** The kinds of work that a run can be. */
export const RUN_KINDS = ['pipeline', 'bench', 'quantize', 'evaluate', 'explain'] as const;

export type RunKind = (typeof RUN_KINDS)[number];

/** Where a run can be; the last five are final. `expired`: its deadline came before its end. */
export const RUN_STATES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'interrupted',
  'expired',
] as const;

export type RunState = (typeof RUN_STATES)[number];

/** Whether nothing will happen to a run any more. */
export function isEnded({ state }: { readonly state: RunState }): boolean {
  return state !== 'queued' && state !== 'running';
}

/** How urgent an order is, the most urgent first. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;

export type Priority = (typeof PRIORITIES)[number];
