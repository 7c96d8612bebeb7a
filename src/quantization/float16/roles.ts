import type { ElementTypes } from '../../onnx/element-types.ts';
import { isDefaultDomain } from '../../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto } from '../../onnx/messages.ts';
import { subgraphsOf } from '../../onnx/subgraphs.ts';
import type { GraphView } from '../graph-view.ts';
import { scopeRefusal } from '../node-selection.ts';
import { constantOf, isConstantNode } from './constants.ts';
import type { FloatTensor, Origin } from './float-tensor.ts';
import type { Float16Recipe } from './float16-recipe.ts';
import { tooLargeForFloat16, tooSmallForFloat16 } from './half-values.ts';
import { float16Refusal, isAddend, mayLimitConstants, staysFloat32Input } from './operators.ts';
import { originOf } from './origin.ts';

/** How a node takes part in the conversion. */
export interface Role {
  /**
   * - `float16`, `float32`: its float tensors have that type, save for what the schema fixes.
   * - `follows`: made of constants, or a Cast to float32: it gives the form that its readers want.
   * - `either`: gives no float tensor and takes its inputs as they come.
   */
  readonly kind: 'float16' | 'float32' | 'follows' | 'either';
  /** Why it stays float32, where that is worth telling. */
  readonly reason: string | undefined;
  /** What its float outputs are made from. */
  readonly origin: Origin;
  /** Its results may be far beyond the range of float16, so that a float16 copy of them is limited to it. */
  readonly saturates: boolean;
  /** Nothing in its bodies may change. */
  readonly freezesBodies: boolean;
}

export interface NodeSurroundings {
  readonly types: ElementTypes;
  /** The float32 tensor of a name. */
  readonly find: (name: string) => FloatTensor | undefined;
  /** The node lies in a body in which nothing may change. */
  readonly frozen: boolean;
}

/** Gives a function that says which role a node of the model has. It reads each constant at most once. */
export function createRoles(
  view: GraphView,
  opset: number,
  recipe: Float16Recipe,
): (node: NodeProto, around: NodeSurroundings) => Role {
  const functions = new Set(view.model.proto.functions.map(({ domain, name }) => operatorKey(domain, name)));
  const misfits = createMisfits(view);

  /** Why a node is no business of this conversion, nor is what it holds. */
  const untouchable = (node: NodeProto): string | undefined => {
    const outOfScope = scopeRefusal(node, recipe);
    if (outOfScope !== undefined) return outOfScope;
    if (functions.has(operatorKey(node.domain, node.opType))) return 'a function of the model';
    return isDefaultDomain(node.domain) ? undefined : `an operator of the domain ${node.domain}`;
  };

  /** Why an ordinary operator of ONNX itself stays float32. */
  const refusal = (node: NodeProto, { types }: NodeSurroundings, origin: Origin): string | undefined => {
    const isUnknown = (name: string) => name !== '' && !types.has(name);
    if (node.input.some(isUnknown) || node.output.some(isUnknown)) {
      return 'the types of its tensors are not all known';
    }
    const ofOperator = float16Refusal(node, opset);
    if (ofOperator !== undefined) return ofOperator;
    return origin === 'integers' ? 'sizes and positions need more digits than float16 has' : undefined;
  };

  const roleOfOperator = (node: NodeProto, around: NodeSurroundings, origin: Origin): Role => {
    const outside = node.input.flatMap((name, index) => {
      const tensor = staysFloat32Input(node, index) ? undefined : around.find(name);
      if (tensor === undefined) return [];
      const { tooLarge, tooSmall } = misfits(tensor);
      // What is only added keeps all the digits that the sum has.
      const found = tooLarge ?? (isAddend(node, index) ? undefined : tooSmall);
      return found === undefined ? [] : [found];
    });
    // Only arithmetic on sizes is carried on in float32, so only there a result is handed from node to node.
    const inherits = origin === 'integers' && node.input.some((name) => around.find(name)?.saturates);
    const reason = refusal(node, around, origin) ?? (mayLimitConstants(node) ? undefined : outside[0]);
    if (reason === undefined) return role(origin === 'constant' ? 'follows' : 'float16', origin);
    return role('float32', origin, { reason, saturates: inherits || outside.length > 0 });
  };

  return (node, around) => {
    const { types, find, frozen } = around;
    const floatInputs = node.input.flatMap((name) => find(name) ?? []);
    const givesFloat = node.output.some((name) => types.get(name) === DATA_TYPE.float);
    const hasBodies = subgraphsOf(node).length > 0;
    const origin = originOf(node, floatInputs, types);
    if (frozen) return role('float32', origin);
    if (floatInputs.length === 0 && !givesFloat && !hasBodies) return role('either', origin);
    const reason = untouchable(node);
    if (reason !== undefined) return role('float32', origin, { reason, freezesBodies: true });
    if (hasBodies) return role('float32', origin);
    if (isConstantNode(node) && constantOf(node) === undefined) return role('float32', origin);
    if (SAYS_ITS_TYPE.has(node.opType ?? '')) return role(givesFloat ? 'follows' : 'either', origin);
    return roleOfOperator(node, around, origin);
  };
}

/** Operators that take any type and say themselves which one they give. */
const SAYS_ITS_TYPE: ReadonlySet<string> = new Set(['Cast', 'Constant', 'ConstantOfShape', 'Shape', 'Size']);

function role(kind: Role['kind'], origin: Origin, more: Partial<Role> = {}): Role {
  return { kind, origin, reason: undefined, saturates: false, freezesBodies: false, ...more };
}

/** What float16 cannot hold of a constant, as reasons to keep its reader float32. */
interface Misfits {
  readonly tooLarge?: string | undefined;
  readonly tooSmall?: string | undefined;
}

function createMisfits(view: GraphView): (tensor: FloatTensor) => Misfits {
  const known = new Map<FloatTensor, Misfits>();
  const examine = ({ name, constant }: FloatTensor): Misfits => {
    if (constant === undefined) return {};
    const values = view.readFloats(constant);
    const reason = (what: string | undefined) =>
      what && `the constant '${name}' is outside the range of float16: ${what}`;
    return { tooLarge: reason(tooLargeForFloat16(values)), tooSmall: reason(tooSmallForFloat16(values)) };
  };
  return (tensor) => {
    const found = known.get(tensor) ?? examine(tensor);
    known.set(tensor, found);
    return found;
  };
}

function operatorKey(domain: string | undefined, name: string | undefined): string {
  return `${isDefaultDomain(domain) ? '' : domain}::${name}`;
}
