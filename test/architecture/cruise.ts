import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY } from './planted-project.ts';

const CRUISER = join(REPOSITORY, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const CONFIGURATION = join(REPOSITORY, '.dependency-cruiser.cjs');

/** An import that a rule forbids. */
interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: string;
}

interface Cruise {
  readonly modules: number;
  readonly dependencies: number;
  readonly violations: readonly Violation[];
}

interface CruiserOutput {
  readonly summary: {
    readonly totalCruised: number;
    readonly totalDependenciesCruised: number;
    readonly violations: readonly { from: string; to: string; rule: { readonly name: string } }[];
  };
}

/** Runs dependency-cruiser on `folder`/src with the repository's own rules, as `npm run ok` does. */
export function cruise(folder = REPOSITORY): Cruise {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [CRUISER, 'src', '--config', CONFIGURATION, '--output-type', 'json'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
  );
  // Violations make the exit status theirs; only what is not JSON tells that the tool itself failed.
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser gave no result: ${stderr}${stdout}`);
  const { summary } = JSON.parse(stdout) as CruiserOutput;
  return {
    modules: summary.totalCruised,
    dependencies: summary.totalDependenciesCruised,
    violations: summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name })),
  };
}
