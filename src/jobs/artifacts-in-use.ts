import type { Store } from '../store/store.ts';

/** Artifacts as one run uses them: what it has found or made is not removed before its end. */
export interface ArtifactsInUse
  extends Pick<
    Store,
    | 'findArtifact'
    | 'publishArtifact'
    | 'temporaryFile'
    | 'calibrationFolder'
    | 'searchesFolder'
    | 'diskSpace'
  > {
  /** The run is over. */
  release(): void;
}

export function useArtifacts(
  store: Pick<
    Store,
    | 'findArtifact'
    | 'publishArtifact'
    | 'temporaryFile'
    | 'calibrationFolder'
    | 'searchesFolder'
    | 'diskSpace'
    | 'holdArtifact'
  >,
): ArtifactsInUse {
  const held = new Map<string, () => void>();
  const hold = (hash: string) => {
    if (!held.has(hash)) held.set(hash, store.holdArtifact(hash));
  };
  return {
    calibrationFolder: store.calibrationFolder,
    searchesFolder: store.searchesFolder,
    temporaryFile: store.temporaryFile,
    diskSpace: store.diskSpace,
    findArtifact: (hash) => {
      // Held also where it is not there yet: between its making and its use nobody can remove it.
      hold(hash);
      return store.findArtifact(hash);
    },
    publishArtifact: store.publishArtifact,
    release: () => {
      for (const release of held.values()) release();
      held.clear();
    },
  };
}
