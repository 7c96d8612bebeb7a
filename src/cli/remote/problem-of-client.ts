import type { ClientProblem } from '../../client/client.ts';
import { type Problem, problem } from '../../core/problem.ts';

/** What a daemon or the network said, as commands print it; each field that is wrong of an order as a problem of its own. */
export function problemsOfClient({ kind, message, hint, details }: ClientProblem): readonly Problem[] {
  if (kind === 'unauthorized') {
    const how = 'name the file that holds its token with --token-file, such as DATA-DIR/token';
    return [problem(kind, message, { hint: how })];
  }
  const whole = hint === undefined ? {} : { hint };
  const fields = (details?.errors ?? []).map(({ detail, pointer, hint: ofField = hint }) =>
    problem(kind, detail, {
      ...(ofField === undefined ? {} : { hint: ofField }),
      ...(pointer === '' ? {} : { place: { field: pointer } }),
    }),
  );
  return fields.length > 0 ? fields : [problem(kind, message, whole)];
}
