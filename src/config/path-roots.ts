import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Problem, type ProblemPlace, problem } from '../core/problem.ts';

/**
 * Where a path leads that is not below any of the roots; undefined where it may be used. Links are followed, in the path and in the
 * roots. A path that is elsewhere by its name alone is not looked at, so that nothing is learnt of files there; what does not
 * exist is whoever opens it to tell.
 * @param roots folders; undefined where every path may be used
 */
export async function leadsOutside(
  path: string,
  roots: readonly string[] | undefined,
): Promise<string | undefined> {
  if (roots === undefined) return undefined;
  const named = resolve(path);
  const real = await Promise.all(roots.map(realPathOr));
  if (![...roots, ...real].some((root) => isBelow(root, named))) return named;
  const target = await realPathOr(named);
  return target === named || real.some((root) => isBelow(root, target)) ? undefined : target;
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Of what does not exist, where it would be if it did. */
async function realPathOr(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPathOr(parent), basename(path));
  }
}

/** @param what that names the path @param path where it leads */
export function outsideRoots(
  what: string,
  path: string,
  roots: readonly string[] = [],
  place: ProblemPlace | undefined,
): Problem<'path-outside-roots'> {
  return problem('path-outside-roots', `${what} leads to ${path}, outside of ${roots.join(', ')}`, {
    ...(place === undefined ? {} : { place }),
    hint: 'move the file, or add its folder to "roots" in the settings or by --root',
  });
}
