import { ProblemError, problem } from '../../core/problem.ts';
import { findAttribute, stringAttribute } from '../../onnx/attributes.ts';
import { isDefaultDomain, nodeLabel } from '../../onnx/make-node.ts';
import type { ModelProto, NodeProto } from '../../onnx/messages.ts';
import { walkGraphs } from '../../onnx/traversal.ts';

/** The first opset whose DequantizeLinear takes blocks and 4-bit integers, and the IR version that came with it. */
const BLOCKED_OPSET = 21;
const BLOCKED_IR_VERSION = 10;

/** The oldest opset that the table below covers. */
const OLDEST_RAISABLE_OPSET = 13;

interface Change {
  /** The opset that changed the operator. */
  readonly since: number;
  /** Whether the change matters to this node. */
  readonly affects: (node: NodeProto) => boolean;
}

const always = () => true;
const hasAxes = (node: NodeProto) => findAttribute(node, 'axes') !== undefined;

/**
 * The operators of opset 13 to 20 of which a node may mean something else, or be invalid, in opset 21. All others only
 * gained element types, inputs or attributes whose absence is the old behaviour.
 * Source: the operator schemas of ONNX 1.23, every version between 13 and 21 compared.
 */
const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  // Outputs of the training mode were taken out, and with them the way to ask for that mode.
  [
    'BatchNormalization',
    { since: 14, affects: (node) => node.output.some((name, i) => i > 0 && name !== '') },
  ],
  // The default of coordinate_transformation_mode became half_pixel; until then there was no such shift.
  ['RoiAlign', { since: 16, affects: always }],
  // The axes became an input.
  ...[
    'ReduceL1',
    'ReduceL2',
    'ReduceLogSum',
    'ReduceLogSumExp',
    'ReduceMax',
    'ReduceMean',
    'ReduceMin',
    'ReduceProd',
    'ReduceSumSquare',
  ].map((opType) => [opType, { since: 18, affects: hasAxes }] as [string, Change]),
  // Equal parts must now be asked for with num_outputs.
  ['Split', { since: 18, affects: (node) => (node.input[1] ?? '') === '' }],
  // The axis became an input whose default is another one.
  ['DFT', { since: 20, affects: always }],
  // Modes were renamed.
  [
    'GridSample',
    { since: 20, affects: (node) => ['bilinear', 'bicubic'].includes(stringAttribute(node, 'mode') ?? '') },
  ],
  // Scale and bias became one value a channel instead of one a group.
  ['GroupNormalization', { since: 21, affects: always }],
]);

/**
 * Checks that the model may be declared to be of opset 21 as it is.
 * Throws `ProblemError` `opset-not-raisable` that names the first node in the way.
 */
export function requireRaisable(proto: ModelProto): void {
  const version = importedVersion(proto);
  if (version >= BLOCKED_OPSET) return;
  if (version < OLDEST_RAISABLE_OPSET) {
    throw notRaisable(version, `only models of opset ${OLDEST_RAISABLE_OPSET} and newer are raised`);
  }
  if (proto.functions.length > 0) throw notRaisable(version, 'the model has functions of its own');
  if (proto.graph === undefined) return;
  walkGraphs(proto.graph, ({ node: nodes }) => {
    for (const node of nodes) {
      const change = isDefaultDomain(node.domain) ? CHANGES.get(node.opType ?? '') : undefined;
      if (change === undefined || version >= change.since || !change.affects(node)) continue;
      throw notRaisable(version, `${node.opType} was changed in opset ${change.since}`, nodeLabel(node));
    }
  });
}

/** Declares the model to be of opset 21 and IR version 10 where it is older. */
export function raiseOpset(proto: ModelProto): void {
  const version = importedVersion(proto);
  if (version < BLOCKED_OPSET) {
    proto.opsetImport = [
      { domain: '', version: BLOCKED_OPSET },
      ...proto.opsetImport.filter(({ domain }) => !isDefaultDomain(domain)),
    ];
  }
  proto.irVersion = Math.max(proto.irVersion ?? 0, BLOCKED_IR_VERSION);
}

function importedVersion({ opsetImport }: ModelProto): number {
  return opsetImport.find(({ domain }) => isDefaultDomain(domain))?.version ?? 1;
}

function notRaisable(version: number, reason: string, node?: string): ProblemError<'opset-not-raisable'> {
  return new ProblemError(
    problem(
      'opset-not-raisable',
      `The model is of opset ${version}, the form 'dequantize' needs ${BLOCKED_OPSET}, and ${reason}.`,
      {
        ...(node === undefined ? {} : { place: { node } }),
        hint: `use the form 'matmul-nbits', or export the model with opset ${BLOCKED_OPSET}`,
      },
    ),
  );
}
