import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBench } from '../../src/benchmark/controller.ts';
import { type BenchSettings, benchSettings } from '../../src/benchmark/settings.ts';
import type { BenchFile } from '../../src/config/bench-file-schema.ts';
import { loadBenchFile } from '../../src/config/load-bench-file.ts';
import { toJson } from '../../src/core/json.ts';
import { benchReport, type FinishedMeasurement } from '../../src/jobs/bench-file.ts';
import type { SuiteRun } from '../../src/jobs/bench-suite.ts';
import { virtualContestant } from '../unit/benchmark/fakes.ts';
import { pipelineResultOf } from './pipeline-result.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { unwrap } from './unwrap.ts';

/** By variant, how long its n-th run takes. */
export type Services = Readonly<Record<string, (run: number) => number>>;

/** A measurement of systems on clocks of their own, without processes. */
export async function suiteRunOf(
  services: Services,
  given: Partial<BenchSettings> = {},
  { suite = '', name = given.scenario ?? 'single-stream' }: { suite?: string; name?: string } = {},
): Promise<SuiteRun> {
  const settings = unwrap(benchSettings({ minDurationSeconds: 2, ...given }));
  let now = 0n;
  const clock = { nowNs: () => now++, wallMs: () => 0 };
  const suts = Object.entries(services).map(([variant, service]) =>
    virtualContestant(variant, () => service),
  );
  return {
    suite,
    measurement: { name, settings, batch: 1, threads: 1, device: 'cpu' },
    run: await runBench(suts, settings, { clock }),
  };
}

/** A result file as it is read again. */
export async function benchFileOf(
  runs: readonly SuiteRun[],
  more: { readonly created?: string; readonly digest?: string } = {},
): Promise<BenchFile> {
  const { created = '2026-01-01T00:00:00.000Z', digest = 'a'.repeat(64) } = more;
  const finished: FinishedMeasurement[] = runs.map((run) => ({
    ...run,
    data: { spec: { path: '/data.npz' }, split: 'eval' },
    dataDigest: 'd'.repeat(64),
  }));
  const variants = runs[0]?.run.results.map(({ variant }) => variant) ?? [];
  const { host } = pipelineResultOf();
  const models = variants.map((variant) => ({ variant, path: variant, sizeBytes: 1000, digest }));
  const file = join(temporaryFolder(), 'result.json');
  writeFileSync(
    file,
    toJson(benchReport({ created, command: ['ptq-agent', 'bench'], host, models }, finished)),
  );
  return unwrap(await loadBenchFile(file));
}
