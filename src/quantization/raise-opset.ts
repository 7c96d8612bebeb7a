import { ProblemError, problem } from '../core/problem.ts';
import {
  findAttribute,
  intAttributeProto,
  intsAttribute,
  removeAttribute,
  setAttribute,
  stringAttribute,
  stringAttributeProto,
} from '../onnx/attributes.ts';
import { isDefaultDomain, nodeLabel } from '../onnx/make-node.ts';
import type { GraphProto, ModelProto, NodeProto } from '../onnx/messages.ts';
import { createNameScope } from '../onnx/name-scope.ts';
import { tensorFrom } from '../onnx/tensor-data.ts';
import { walkGraphs } from '../onnx/traversal.ts';

/** The first opset whose Q/DQ know blocks, 4-bit and 16-bit integers, and the IR version that came with it. */
const WIDE_OPSET = 21;
const WIDE_IR_VERSION = 10;

/** The oldest opset that the table below covers. */
const OLDEST_RAISABLE_OPSET = 13;

interface Change {
  /** The opset that changed the operator. */
  readonly since: number;
  /** Whether the change matters to this node. */
  readonly affects: (node: NodeProto) => boolean;
  /** Makes the node mean the same in opset 21; absent where that is not possible. */
  readonly rewrite?: (node: NodeProto, addConstant: AddConstant) => void;
}

/** Puts integers into the graph as an int64 vector and gives its name. */
type AddConstant = (suffix: string, values: readonly bigint[]) => string;

const always = () => true;

/** The axes became an input. */
const REDUCTION: Change = {
  since: 18,
  affects: (node) => findAttribute(node, 'axes') !== undefined,
  rewrite: (node, addConstant) => {
    const axes = intsAttribute(node, 'axes') ?? [];
    removeAttribute(node, 'axes');
    node.input = [node.input[0] ?? '', addConstant('axes', axes.map(BigInt))];
  },
};

const GRID_MODES: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };

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
  // The default became half_pixel; until then there was no such shift.
  [
    'RoiAlign',
    {
      since: 16,
      affects: (node) => findAttribute(node, 'coordinate_transformation_mode') === undefined,
      rewrite: (node) =>
        setAttribute(node, stringAttributeProto('coordinate_transformation_mode', 'output_half_pixel')),
    },
  ],
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
  ].map((opType) => [opType, REDUCTION] as const),
  // Equal parts must now be asked for.
  [
    'Split',
    {
      since: 18,
      affects: (node) => (node.input[1] ?? '') === '',
      rewrite: (node) => {
        setAttribute(node, intAttributeProto('num_outputs', node.output.length));
      },
    },
  ],
  // The axis became an input whose default is another one.
  ['DFT', { since: 20, affects: always }],
  [
    'GridSample',
    {
      since: 20,
      affects: (node) => Object.hasOwn(GRID_MODES, stringAttribute(node, 'mode') ?? ''),
      rewrite: (node) =>
        setAttribute(
          node,
          stringAttributeProto('mode', GRID_MODES[stringAttribute(node, 'mode') ?? ''] ?? ''),
        ),
    },
  ],
  // Scale and bias became one value a channel instead of one a group.
  ['GroupNormalization', { since: 21, affects: always }],
]);

/**
 * Checks that the model can be declared to be of opset 21.
 * @param what asks for that opset, for the message
 * Throws `ProblemError` `opset-not-raisable` that names the first node in the way.
 */
export function requireRaisable(proto: ModelProto, what: string): void {
  const version = importedVersion(proto);
  if (version >= WIDE_OPSET) return;
  const refuse = (reason: string, node?: NodeProto) => {
    throw new ProblemError(
      problem(
        'opset-not-raisable',
        `The model is of opset ${version}, ${what} needs ${WIDE_OPSET}, and ${reason}.`,
        {
          ...(node === undefined ? {} : { place: { node: nodeLabel(node) } }),
          hint: `export the model with opset ${WIDE_OPSET}, or take another form or recipe`,
        },
      ),
    );
  };
  if (version < OLDEST_RAISABLE_OPSET)
    refuse(`only models of opset ${OLDEST_RAISABLE_OPSET} and newer are raised`);
  if (proto.functions.length > 0) refuse('the model has functions of its own');
  forEachChange(proto, version, (node, change) => {
    if (change.rewrite === undefined) refuse(`${node.opType} was changed in opset ${change.since}`, node);
  });
}

/** Makes the model, which `requireRaisable` lets pass, one of opset 21 and IR version 10 where it is older. */
export function raiseOpset(proto: ModelProto): void {
  const version = importedVersion(proto);
  if (version < WIDE_OPSET) {
    const names = proto.graph === undefined ? undefined : createNameScope(proto.graph);
    forEachChange(proto, version, (node, change, graph) => {
      change.rewrite?.(node, (suffix, values) => {
        const name = names?.fresh(`${nodeLabel(node)}_${suffix}`) ?? '';
        graph.initializer.push(tensorFrom(name, [values.length], BigInt64Array.from(values)));
        return name;
      });
    });
    proto.opsetImport = [
      { domain: '', version: WIDE_OPSET },
      ...proto.opsetImport.filter(({ domain }) => !isDefaultDomain(domain)),
    ];
  }
  proto.irVersion = Math.max(proto.irVersion ?? 0, WIDE_IR_VERSION);
}

function forEachChange(
  { graph }: ModelProto,
  version: number,
  visit: (node: NodeProto, change: Change, graph: GraphProto) => void,
): void {
  if (graph === undefined) return;
  walkGraphs(graph, (body) => {
    for (const node of body.node) {
      const change = isDefaultDomain(node.domain) ? CHANGES.get(node.opType ?? '') : undefined;
      if (change !== undefined && version < change.since && change.affects(node)) visit(node, change, body);
    }
  });
}

function importedVersion({ opsetImport }: ModelProto): number {
  return opsetImport.find(({ domain }) => isDefaultDomain(domain))?.version ?? 1;
}
