import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { setAttribute } from '../../onnx/attributes.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import { importRuntimeDomain } from '../dynamic/lstm.ts';
import type { GraphView } from '../graph-view.ts';
import type { FloatNode, PlannedNode } from '../placement.ts';
import { type Conversion, createConversionContext } from './conversion.ts';
import { convertAnchor } from './convert-anchor.ts';
import { convertRelay } from './convert-relay.ts';
import { dropIdlePairs } from './drop-idle-pairs.ts';

export interface QOperatorReport {
  /** The planned nodes as they are now, in the same order, for `auditFusion`. */
  readonly nodes: readonly PlannedNode[];
  /** How many of them are operators on codes. */
  readonly converted: number;
  /** Those that stay float operators between DequantizeLinear and QuantizeLinear, and why. */
  readonly left: readonly FloatNode[];
}

/**
 * Turns the Q/DQ graph that `insertQdq` made into operators on codes, in place: Conv becomes QLinearConv, MatMul
 * QLinearMatMul or MatMulIntegerToFloat, Gemm QGemm, elementwise operators those of ONNX Runtime's own domain, and what
 * only moves values reads codes and gives codes. The runtime's CPU provider makes these operators of the Q/DQ graph, so
 * the codes are the same. A group that has no such form stays as it is, beside the others.
 * Nodes that nobody reads any more, such as a DequantizeLinear of weights, are left to `eliminateDead`.
 * @param view as it was given to `insertQdq`; nothing is asked of its index
 * @param planned the nodes of the placement that `insertQdq` wrote
 * Errors: what reading constants can report; the graph is then as it was.
 */
export function toQOperator(
  view: GraphView,
  planned: readonly PlannedNode[],
): Result<QOperatorReport, Problem> {
  return attempt(() => {
    const { graph, model } = view;
    const context = createConversionContext(view);
    const conversions = planned.map((plan) =>
      plan.weights === undefined ? convertRelay(plan, context) : convertAnchor(plan, context),
    );
    const replaced = new Set<NodeProto>();
    const left: FloatNode[] = [];
    const nodes = planned.map((plan, i) => {
      const conversion = conversions[i] as Conversion | string;
      if (typeof conversion === 'string') {
        left.push({ node: nodeLabel(plan.node), op: plan.node.opType ?? '', reason: conversion });
        return plan;
      }
      for (const node of conversion.replaced) replaced.add(node);
      graph.initializer.push(...(conversion.initializers ?? []));
      if (conversion.isContributed) importRuntimeDomain(model.proto);
      return rewrite(plan, conversion);
    });
    graph.node = graph.node.filter((node) => !replaced.has(node));
    dropIdlePairs(model, graph);
    return { nodes, converted: planned.length - left.length, left };
  });
}

function rewrite(plan: PlannedNode, conversion: Conversion): PlannedNode {
  const { node, weights } = plan;
  const { opType, isContributed, input, output, attribute = [], weightsInput } = conversion;
  node.opType = opType;
  if (isContributed) node.domain = 'com.microsoft';
  node.input = [...input];
  node.output = [...output];
  for (const added of attribute) setAttribute(node, added);
  return weights === undefined || weightsInput === undefined
    ? plan
    : { ...plan, weights: { ...weights, inputIndex: weightsInput } };
}
