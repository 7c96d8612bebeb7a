import type { ModelProto } from './messages.ts';

/** The first IR version in which an initializer need not be listed as a graph input. */
const FREE_INITIALIZERS_IR_VERSION = 4;

/** Raises the IR version of a model to one whose initializers need not be graph inputs, before some are added. */
export function allowFreeInitializers(proto: ModelProto): void {
  proto.irVersion = Math.max(proto.irVersion ?? 0, FREE_INITIALIZERS_IR_VERSION);
}
