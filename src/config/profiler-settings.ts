import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import {
  isLoopback,
  type ListenAddress,
  type ListenProblemKind,
  parseListenAddress,
} from './listen-address.ts';

export interface ProfilerSettings {
  readonly listen: ListenAddress;
  /** Nobody asked for this address, so the daemon can do without. */
  readonly isDefault: boolean;
}

export type ProfilerProblemKind = ListenProblemKind | 'public-profiler-address';

/** Where programs of TensorFlow let themselves be profiled. */
const DEFAULT_ADDRESS = '127.0.0.1:6009';
const OFF = 'off';

/**
 * Where traces can be captured; nothing where nobody shall be able to. Clients of TensorFlow have no way to say who they are, so
 * only programs of this machine are let in.
 * @param text `HOST:PORT` or `off`; the default where nobody says
 */
export function profilerSettings(
  text: string | undefined,
): Result<{ readonly profiler?: ProfilerSettings }, Problem<ProfilerProblemKind>> {
  if (text === OFF) return ok({});
  const parsed = parseListenAddress(text ?? DEFAULT_ADDRESS);
  const form = `write HOST:PORT, such as ${DEFAULT_ADDRESS}, or ${OFF}`;
  if (!parsed.ok) return err({ ...parsed.error, hint: form });
  if (isLoopback(parsed.value.host))
    return ok({ profiler: { listen: parsed.value, isDefault: text === undefined } });
  return err(
    problem(
      'public-profiler-address',
      `captures are not offered on ${text}: anybody could start them there`,
      {
        hint: 'clients of TensorFlow cannot authenticate: use 127.0.0.1 or [::1], and an SSH tunnel from elsewhere',
      },
    ),
  );
}
