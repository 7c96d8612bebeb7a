import { cloneMessage } from '../clone-message.ts';
import type { OnnxModel } from '../model-file.ts';
import type { OpenModel } from '../open-model.ts';
import { canOpen } from '../runtime-shapes.ts';
import { constantsToInitializers } from './constants-to-initializers.ts';
import { eliminateIdentity } from './eliminate-identity.ts';
import { foldConstants } from './fold-constants.ts';
import { inlineConstantIfs } from './inline-constant-ifs.ts';
import { addResults, type PassResult, passResult } from './pass-result.ts';

export interface Simplification {
  readonly constants: PassResult;
  readonly identities: PassResult;
  readonly folded: PassResult;
  readonly inlined: PassResult;
}

/**
 * Computes what is always the same, and takes up the branches that are always taken, until nothing is left to do: a
 * branch that comes up may hold more constants. When the runtime refuses what results, only Identity nodes are removed
 * instead. Without a runtime nothing is computed. Changes the model in place.
 */
export async function simplify(model: OnnxModel, open: OpenModel | undefined): Promise<Simplification> {
  const before = cloneMessage(model.proto.graph);
  const done = await simplifyFully(model, open);
  const { graph } = model.proto;
  const hasChanged = done.folded.modified || done.inlined.modified;
  if (open === undefined || graph === undefined || !hasChanged || (await canOpen(model, graph, open))) {
    return done;
  }
  // The runtime is stricter about values that it sees before it runs: it takes a Range of [1] tensors, which is not
  // valid, as long as they are computed.
  model.proto.graph = before;
  const nothing = passResult(0);
  return {
    constants: constantsToInitializers(model),
    identities: eliminateIdentity(model),
    folded: nothing,
    inlined: nothing,
  };
}

async function simplifyFully(model: OnnxModel, open: OpenModel | undefined): Promise<Simplification> {
  let constants = passResult(0);
  let identities = passResult(0);
  let folded = passResult(0);
  let inlined = passResult(0);
  for (;;) {
    constants = addResults(constants, constantsToInitializers(model));
    identities = addResults(identities, eliminateIdentity(model));
    if (open !== undefined) folded = addResults(folded, await foldConstants(model, open));
    const more = inlineConstantIfs(model);
    inlined = addResults(inlined, more);
    if (!more.modified) return { constants, identities, folded, inlined };
  }
}
