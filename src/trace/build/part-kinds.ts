import { type OpWork, opWork } from '../op-work.ts';
import { arithmeticOf } from '../roofline/arithmetic.ts';
import { callRoof } from '../roofline/peaks.ts';
import type { TraceStats } from '../trace.ts';
import type { PartKind } from '../trace-input.ts';
import { readShapes, type TypedShape } from '../work/typed-shape.ts';
import type { KindTable } from './kind-table.ts';
import type { OpNames } from './op-names.ts';
import type { PreparedPart } from './prepared-part.ts';

/** Finds the kinds of a part's events in the host's plane; made when they are first asked for. */
export class PartKinds {
  readonly sessionRun: number;
  readonly root: number;
  readonly warmUp: number;
  readonly wait: number;
  readonly launch: number;
  readonly #part: PreparedPart;
  readonly #table: KindTable;
  readonly #names: OpNames;
  readonly #ops: Int32Array;
  readonly #warmOps: Int32Array;
  readonly #blocks: Int32Array;
  readonly #spans: Int32Array;

  constructor(part: PreparedPart, table: KindTable, names: OpNames) {
    this.#part = part;
    this.#table = table;
    this.#names = names;
    const { modelId, device } = part.input.part;
    // A colon would make an operator of it.
    const words = modelId.replaceAll(':', ' ');
    this.root = table.add({ name: words });
    this.sessionRun = table.add({ name: 'SessionRun', stats: { model_id: modelId } });
    this.warmUp = table.add({ name: `warm-up of ${words}` });
    this.wait = table.add({ name: `wait for ${words}` });
    this.launch = table.add({ name: `launch on ${device}` });
    const count = part.input.events?.kindList.length ?? 0;
    this.#ops = new Int32Array(count).fill(-1);
    this.#warmOps = new Int32Array(count).fill(-1);
    this.#blocks = new Int32Array(count).fill(-1);
    this.#spans = new Int32Array(count).fill(-1);
  }

  /** An operator of a request. */
  op(kind: number): number {
    return this.#once(this.#ops, kind, (of) => ({
      name: this.label(of),
      displayName: of.op,
      stats: this.#statsOf(of),
    }));
  }

  /** An operator of a run that is no request: named so that tools do not count it. */
  warmOp(kind: number): number {
    return this.#once(this.#warmOps, kind, (of) => ({
      name: `warm-up ${this.label(of).replace(':', ' ')}`,
      displayName: of.op,
      stats: this.#statsOf(of),
    }));
  }

  /** Blocks of an operator's work that a thread of the pool did. */
  blocks(kind: number): number {
    return this.#once(this.#blocks, kind, (of) => ({
      name: `blocks of ${this.label(of).replace(':', ' ')}`,
      displayName: `blocks of ${of.op}`,
    }));
  }

  /** What is no operator: loading the model, running the graph. */
  span(kind: number): number {
    return this.#once(this.#spans, kind, (of) => ({ name: of.name }));
  }

  /** `name:Type`, as tools know operators. */
  label({ name, op }: Pick<PartKind, 'name' | 'op'>): string {
    return this.#names.labelOf(this.#part.prefix, name, op);
  }

  #once(
    places: Int32Array,
    kind: number,
    make: (of: PartKind) => {
      readonly name: string;
      readonly displayName?: string;
      readonly stats?: TraceStats;
    },
  ): number {
    const place = places[kind] as number;
    if (place >= 0) return place;
    const of = this.#part.input.events?.kindList[kind] as PartKind;
    const made = this.#table.add(make(of));
    places[kind] = made;
    return made;
  }

  #statsOf(of: PartKind): TraceStats {
    const inputs = readShapes(of.inputShapes);
    const outputs = readShapes(of.outputShapes);
    const facts = this.#part.input.facts?.(of.name);
    const { flops, bytes } = opWork({
      op: of.op,
      inputs,
      outputs,
      ...(facts === undefined ? {} : { facts }),
    });
    return {
      node: of.name,
      ...(of.provider === '' ? {} : { provider: of.provider }),
      ...(inputs.length === 0 ? {} : { inputs: inputs.map(describe).join(', ') }),
      ...(outputs.length === 0 ? {} : { outputs: outputs.map(describe).join(', ') }),
      ...(flops === null ? {} : { FLOPs: { int: flops } }),
      ...(bytes === null ? {} : { bytes: { int: bytes } }),
      ...(flops === null || bytes === null || bytes === 0
        ? {}
        : { 'FLOPs per byte': { double: flops / bytes } }),
      ...this.#roofOf(of, inputs, { flops, bytes }),
    };
  }

  /** What the call takes at least, as far as the host's peaks are known. */
  #roofOf({ op, provider }: PartKind, inputs: readonly TypedShape[], work: OpWork): TraceStats {
    const peaks = this.#part.input.peaksOf?.(provider);
    if (peaks === undefined) return {};
    const inputTypes = inputs.map(({ type }) => type);
    const roof = callRoof({ ...work, arithmetic: arithmeticOf(op, inputTypes) }, peaks);
    if (roof.seconds === 0) return {};
    const isCompute = roof.computeSeconds >= roof.memorySeconds;
    return {
      'roof (us)': { double: roof.seconds * 1e6 },
      'roof of': isCompute ? 'compute' : roof.memory,
    };
  }
}

function describe({ type, dims }: TypedShape): string {
  return `${type}[${dims.join(',')}]`;
}
