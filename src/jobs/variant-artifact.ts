import type { AutoRecipe, Profile, ProfileVariant } from '../config/profile.ts';
import type { Problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { completeRecipe } from '../quantization/recipe.ts';
import { readCpuFeatures } from '../runtime/cpu-features.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import { artifactHash } from '../store/artifact-hash.ts';
import type { Artifact, ArtifactDescription } from '../store/artifacts.ts';
import { agentVersion } from './agent-version.ts';
import type { ArtifactsInUse } from './artifacts-in-use.ts';
import type { InputDigests } from './digest-inputs.ts';
import type { TracedSamples } from './evaluate-task.ts';
import { resolveRecipe } from './resolve-recipe.ts';
import { runQuantization } from './run-quantization.ts';
import { searchVariant } from './search/search-variant.ts';
import type { SearchedReport } from './search/searched-report.ts';
import { shortageForQuantizing } from './storage/shortage-for-quantizing.ts';
import type { WorkerControls, WorkerHost } from './worker-process.ts';

/** A variant that is ready, and whether it had to be made. */
export interface VariantArtifact {
  readonly variant: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly report: SearchedReport;
  readonly reused: boolean;
}

/** What names the artifact of a variant, given today's files, this host and this software. */
function variantHash(profile: Profile, variant: ProfileVariant, inputs: InputDigests): string {
  const recipe =
    variant.recipe.format === 'auto'
      ? searchedBy(profile, variant.recipe)
      : resolveRecipe(completeRecipe(variant.recipe), readCpuFeatures());
  const { modelDigest, dataDigest } = inputs;
  return artifactHash({
    modelDigest,
    dataDigest,
    recipe: { ...recipe, split: profile.data.calibration.split, ...statesOf(profile) },
    versions: { 'ptq-agent': agentVersion(), onnxruntime: onnxRuntimeVersion() },
  });
}

/**
 * The artifact of a variant: the one in the store if nothing that made it has changed, otherwise a new one. Problems: `disk-space-low` before
 * anything is made, and those of `runQuantization` and `publishArtifact`.
 * @param trace what to trace of its calibration
 */
export async function ensureVariant(
  profile: Profile,
  variant: ProfileVariant,
  inputs: InputDigests,
  store: Omit<ArtifactsInUse, 'release'>,
  host: WorkerHost,
  controls: WorkerControls,
  trace?: TracedSamples,
): Promise<Result<VariantArtifact, Problem>> {
  const hash = variantHash(profile, variant, inputs);
  const known = store.findArtifact(hash);
  if (known !== undefined) return ok(toVariant(known, true));
  const shortage = shortageForQuantizing(inputs.modelSizeBytes, (await store.diskSpace()).freeBytes);
  if (shortage !== undefined) return err(shortage);
  const outputPath = store.temporaryFile(hash);
  const { recipe } = variant;
  const { searchesFolder } = store;
  const quantized =
    recipe.format === 'auto'
      ? await searchVariant(
          { profile, variant: variant.name, recipe, outputPath, searchesFolder },
          host,
          controls,
        )
      : await runQuantization(
          host,
          {
            kind: 'quantize',
            modelPath: profile.model,
            outputPath,
            data: { spec: profile.data.set, split: profile.data.calibration.split },
            recipe: completeRecipe(recipe),
            threads: 0,
            ...statesOf(profile),
            rangesCache: { folder: store.calibrationFolder, digests: inputs },
            subject: variant.name,
            ...(trace === undefined ? {} : { trace }),
          },
          controls,
        );
  if (!quantized.ok) return quantized;
  const description: ArtifactDescription = {
    hash,
    model: profile.name,
    variant: variant.name,
    recipe: variant.recipe,
    report: quantized.value,
  };
  const published = await store.publishArtifact(outputPath, description);
  return published.ok ? ok(toVariant(published.value, false)) : published;
}

/** All that a search goes by; what it chooses is no part of the name, as it is not known before. */
function searchedBy({ task, budget, bench }: Profile, recipe: AutoRecipe) {
  const { architecture, modelName, logicalCpus } = readCpuFeatures();
  return { ...recipe, task, budget, threads: bench.threads, host: [architecture, modelName, logicalCpus] };
}

function statesOf({ data: { states } }: Profile) {
  return states === undefined ? {} : { states };
}

function toVariant(artifact: Artifact, reused: boolean): VariantArtifact {
  const { variant, path, sizeBytes } = artifact;
  // The report is stored as plain data by `ensureVariant` alone, so it has the report's shape.
  const { search, ...rest } = artifact.report as SearchedReport;
  const report = {
    ...rest,
    output: path,
    ...(search === undefined ? {} : { search: { ...search, output: path } }),
  };
  return { variant, path, sizeBytes, report, reused };
}
