import { openStore } from '../../src/store/store.ts';
import { pipelineResultOf } from './pipeline-result.ts';
import { writeProfile } from './program.ts';
import { unwrap } from './unwrap.ts';

/** Registers models that have been through a whole run already, so that a daemon begins with all their series. */
export function registerMeasuredModels(profiles: string, dataDir: string, names: readonly string[]): void {
  const store = unwrap(openStore(dataDir));
  for (const name of names) {
    writeProfile(profiles, name);
    const { id } = store.createRun({ kind: 'pipeline', model: name, request: { kind: 'pipeline' } });
    store.startRun(id);
    store.finishRun(id, { ...pipelineResultOf(), model: name });
  }
  store.close();
}
