import type { Float16Report } from '../quantization/float16/convert-to-float16.ts';

/** What the owner of a model may want to know about constants that float16 cannot hold as they are. */
export function float16Notes({ clamped, raised }: Pick<Float16Report, 'clamped' | 'raised'>): string[] {
  return [
    ...changedValues(clamped, 'lie beyond ±65504 and were clamped'),
    ...changedValues(raised, 'are too small for float16 and were raised to ±2^-24'),
  ];
}

const MAX_NAMED = 3;

/** One line for all constants that had values changed, as a model can have hundreds of them. */
function changedValues(changed: Float16Report['clamped'], what: string): string[] {
  if (changed.length === 0) return [];
  const count = changed.reduce((total, entry) => total + entry.count, 0);
  const named = changed.slice(0, MAX_NAMED).map(({ tensor }) => `'${tensor}'`);
  const more = changed.length > MAX_NAMED ? ` and ${changed.length - MAX_NAMED} more constants` : '';
  return [`${count} values of ${named.join(', ')}${more} ${what}`];
}
