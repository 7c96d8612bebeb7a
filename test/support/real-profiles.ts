import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROFILES = fileURLToPath(new URL('../profiles', import.meta.url));

/** What stands for the folder of the models. */
const MODELS_FOLDER = /\$\{PTQ_MODELS\}/g;

/** The real models that have a profile, with their data and preprocessing. */
export function realProfileNames(): readonly string[] {
  return readdirSync(PROFILES).sort();
}

/** Writes a profile of a real model into `folder`, with the folder of the models in it; returns its path. */
export function writeRealProfile(name: string, modelsFolder: string, folder: string): string {
  const text = readFileSync(join(PROFILES, name, 'profile.yaml'), 'utf8');
  const path = join(folder, name, 'profile.yaml');
  mkdirSync(dirname(path), { recursive: true });
  // A replacement text may hold what `replaceAll` would take for a pattern of its own.
  writeFileSync(
    path,
    text.replaceAll(MODELS_FOLDER, () => modelsFolder),
  );
  return path;
}
