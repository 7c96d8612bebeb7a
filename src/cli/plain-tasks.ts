/** Tasks that need no settings; the others are described in a profile. */
export const PLAIN_TASKS = [
  'classification',
  'fidelity',
  'multi-label',
  'regression',
  'embedding',
  'segmentation',
  'binary-over-time',
  'span-answer',
] as const;
