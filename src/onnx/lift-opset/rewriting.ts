import { ProblemError, problem } from '../../core/problem.ts';
import type { NumericArray } from '../../core/tensor.ts';
import { findAttribute, removeAttribute } from '../attributes.ts';
import type { KnownShape } from '../known-shapes.ts';
import { nodeLabel } from '../make-node.ts';
import type { AttributeProto, NodeProto } from '../messages.ts';

export type LiftProblemKind = 'no-graph' | 'opset-missing' | 'opset-too-old' | 'operator-not-liftable';

/** What a rewriting may ask about the body that its node lies in, and add to it. */
export interface LiftContext {
  readonly fromVersion: number;
  /** A value of DATA_TYPE; undefined when it is not known. */
  elementType(tensor: string | undefined): number | undefined;
  shape(tensor: string | undefined): KnownShape | undefined;
  /** The values of a constant of float or int64; undefined for anything that is computed or can be fed. */
  constant(tensor: string | undefined): readonly number[] | undefined;
  /** True when a node, a body inside a node or the outside reads the tensor. */
  isRead(tensor: string | undefined): boolean;
  /** Adds a constant and returns its name, which is `hint` or close to it. `dims` defaults to one axis. */
  addConstant(hint: string, data: NumericArray, dims?: readonly number[]): string;
  /** Adds a float constant of `elementType` (a value of DATA_TYPE) with no dimensions and returns its name. */
  addScalar(hint: string, value: number, elementType: number): string;
  freshName(hint: string): string;
}

/**
 * Gives the nodes to put in the place of `node`, which it may change and give again.
 * Undefined says that the node means the same in the newer opset. Throws a `ProblemError` where nothing does.
 */
export type Rewriting = (node: NodeProto, context: LiftContext) => readonly NodeProto[] | undefined;

/** Takes an attribute off a node, to become an input. */
export function takeAttribute(node: NodeProto, name: string): AttributeProto | undefined {
  const attribute = findAttribute(node, name);
  if (attribute?.refAttrName) {
    throw notLiftable(node, `its attribute ${name} comes from the function that it is part of`);
  }
  removeAttribute(node, name);
  return attribute;
}

/** Sets an optional input; those before it that are not there are left out explicitly. */
export function setInput(node: NodeProto, index: number, name: string): void {
  while (node.input.length < index) node.input.push('');
  node.input[index] = name;
}

export function int64s(values: readonly (number | bigint)[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt);
}

/** The problem of a node that has no equivalent in the newer opset; `reason` continues the sentence. */
export function notLiftable(node: NodeProto, reason: string): ProblemError<LiftProblemKind> {
  return new ProblemError(
    problem('operator-not-liftable', `The ${node.opType} node cannot be brought to opset 13: ${reason}.`, {
      place: { node: nodeLabel(node) },
      hint: 'Export the model again with opset 13 or newer.',
    }),
  );
}
