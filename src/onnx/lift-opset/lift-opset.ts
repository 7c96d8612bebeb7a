import { attempt, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { isDefaultDomain } from '../make-node.ts';
import type { FunctionProto, GraphProto, ModelProto, OperatorSetIdProto } from '../messages.ts';
import type { OnnxModel } from '../model-file.ts';
import { createNameScope } from '../name-scope.ts';
import { changeOf } from './changes.ts';
import { LEGACY_TARGET_OPSET, legacyChangeOf } from './legacy-changes.ts';
import { type BodySettings, liftFunction, liftGraph } from './lift-body.ts';
import type { LiftProblemKind } from './rewriting.ts';

/** The opset that models are brought to: the first with QuantizeLinear per axis. */
const LIFTED_OPSET = 13;

const OLDEST_OPSET = 1;

/** Before IR version 3 a model did not say that its operators are those of opset 1. */
const IMPLICIT_OPSET_IR_VERSION = 3;

/** IR version 7 came with opset 13. From 4 on, initializers need not be graph inputs. */
const LIFTED_IR_VERSION = 7;

export interface LiftReport {
  readonly modified: boolean;
  /** The version of ai.onnx that the model imported. */
  readonly fromVersion: number;
  readonly toVersion: number;
  /** How many nodes of each operator were rewritten, by the operator's name in the old opset. */
  readonly rewritten: Readonly<Record<string, number>>;
}

/**
 * Brings a model of ai.onnx opset 1 to 12 to opset 13, bodies of If, Loop and Scan and model-local functions included.
 * A model of opset 13 or newer stays as it is. The results of the model do not change: every rewriting is exact.
 *
 * Changes `model` in place; when the result is a problem, the model is left half-way and must not be used further.
 *
 * Problems: `opset-too-old` below 1, `opset-missing` when ai.onnx operators are used without an import,
 * `operator-not-liftable` for a node that opset 13 cannot express, `no-graph` for a model without one.
 */
export function liftOpset(model: OnnxModel): Result<LiftReport, Problem<LiftProblemKind>> {
  return attempt(() => lift(model));
}

function lift(model: OnnxModel): LiftReport {
  const { proto } = model;
  const { graph } = proto;
  if (graph === undefined) {
    throw new ProblemError(
      problem('no-graph', 'The model has no graph.', { hint: 'Export the model again.' }),
    );
  }
  const fromVersion = importedVersion(proto, graph);
  const counts = new Map<string, number>();
  const count = (opType: string) => counts.set(opType, (counts.get(opType) ?? 0) + 1);

  let modified = false;
  if (fromVersion < LIFTED_OPSET) {
    liftInSteps({ model, fromVersion, names: createNameScope(graph), count }, (step) =>
      liftGraph(graph, step),
    );
    setVersion(proto.opsetImport);
    proto.irVersion = Math.max(proto.irVersion ?? 0, LIFTED_IR_VERSION);
    modified = true;
  }
  for (const fn of proto.functions) modified = liftFunctionImport(model, fn, count) || modified;
  return {
    modified,
    fromVersion,
    toVersion: Math.max(fromVersion, LIFTED_OPSET),
    rewritten: Object.fromEntries(counts),
  };
}

/** What opset 7 changed needs nodes of its own, which are lifted further like all others. */
function liftInSteps(settings: Omit<BodySettings, 'changeOf'>, lift: (settings: BodySettings) => void): void {
  const { fromVersion } = settings;
  if (fromVersion < LEGACY_TARGET_OPSET) lift({ ...settings, changeOf: legacyChangeOf });
  lift({ ...settings, fromVersion: Math.max(fromVersion, LEGACY_TARGET_OPSET), changeOf });
}

/** A function imports opsets of its own. ONNX Runtime wants them to agree with those of the model. */
function liftFunctionImport(model: OnnxModel, fn: FunctionProto, count: (opType: string) => void): boolean {
  const fromVersion = versionIn(fn.opsetImport);
  if (fromVersion === undefined || fromVersion >= LIFTED_OPSET) return false;
  requireSupported(fromVersion, `The function ${fn.name} of the model`);
  liftInSteps({ model, fromVersion, names: createNameScope(fn), count }, (step) => liftFunction(fn, step));
  setVersion(fn.opsetImport);
  return true;
}

function importedVersion(model: ModelProto, graph: GraphProto): number {
  const version = versionIn(model.opsetImport);
  if (version !== undefined) {
    requireSupported(version, 'The model');
    return version;
  }
  if ((model.irVersion ?? 0) < IMPLICIT_OPSET_IR_VERSION) {
    model.opsetImport.push({ domain: '', version: 1 });
    return 1;
  }
  const node = graph.node.find(({ domain }) => isDefaultDomain(domain));
  if (node !== undefined) {
    throw new ProblemError(
      problem('opset-missing', 'The model does not say which opset of ai.onnx its operators are from.', {
        place: { field: '/opset_import' },
        hint: 'Export the model again with opset 13 or newer.',
      }),
    );
  }
  model.opsetImport.push({ domain: '', version: LIFTED_OPSET });
  return LIFTED_OPSET;
}

function requireSupported(version: number, subject: string): void {
  if (version >= OLDEST_OPSET) return;
  throw new ProblemError(
    problem(
      'opset-too-old',
      `${subject} uses opset ${version} of ai.onnx; ${OLDEST_OPSET} is the oldest supported.`,
      {
        place: { field: '/opset_import' },
        hint: 'Export the model again with opset 13 or newer, or convert it with onnx.version_converter.',
      },
    ),
  );
}

function versionIn(imports: readonly OperatorSetIdProto[]): number | undefined {
  return imports.find(({ domain }) => isDefaultDomain(domain))?.version;
}

function setVersion(imports: readonly OperatorSetIdProto[]): void {
  for (const entry of imports) if (isDefaultDomain(entry.domain)) entry.version = LIFTED_OPSET;
}
