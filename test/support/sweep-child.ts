import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendCase } from './onnx-backend-models.ts';
import { type SweepOutcome, sweepModel } from './sweep-model.ts';
import { leastSqnrDb, SWEEP_RECIPES, type SweepRecipeName } from './sweep-recipes.ts';
import { type SweepForm, writeSubject } from './sweep-subject.ts';

/*
 * The process that takes backend cases through recipes, so that a model that ends it ends nothing else. It is sent its
 * work once, and tells what it begins and how each ended.
 */

export interface SweepJob {
  readonly entry: BackendCase;
  readonly form: SweepForm;
  readonly recipes: readonly SweepRecipeName[];
}

export type SweepMessage =
  | { readonly kind: 'begin'; readonly job: number; readonly recipe: SweepRecipeName | undefined }
  | {
      readonly kind: 'end';
      readonly job: number;
      readonly recipe: SweepRecipeName;
      readonly outcome: SweepOutcome;
    };

const send = (message: SweepMessage) => new Promise((resolve) => process.send?.(message, resolve));

const settingsOf = (recipe: SweepRecipeName, caseName: string) => ({
  recipe: SWEEP_RECIPES[recipe].recipe,
  leastDb: leastSqnrDb(recipe, caseName),
});

async function perform(jobs: readonly SweepJob[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-sweep-'));
  try {
    for (const [job, { entry, form, recipes }] of jobs.entries()) {
      await send({ kind: 'begin', job, recipe: undefined });
      const subject = await writeSubject(entry, form, folder);
      if (subject === undefined) continue;
      const idle = new Map<string, SweepOutcome>();
      for (const recipe of recipes) {
        await send({ kind: 'begin', job, recipe });
        const [family = ''] = recipe.split(' ');
        const isStatic = family.startsWith('static');
        const outcome =
          idle.get(family) ?? (await sweepModel(subject, settingsOf(recipe, entry.name), folder));
        // Where one static recipe finds nothing, its relatives find nothing either.
        const foundNothing = outcome.result === 'refused' && outcome.kind === 'nothing-to-quantize';
        if (isStatic && foundNothing) idle.set(family, outcome);
        await send({ kind: 'end', job, recipe, outcome });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.on('message', (jobs: readonly SweepJob[]) => {
  perform(jobs).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    },
  );
});
