import type { NodeResult } from './node-results.ts';
import type { ActivationGrid, RoundedTensor } from './quantized-node.ts';
import { over, toDecibels } from './tensor-statistics.ts';

/**
 * What is set otherwise in a node of one version of a model than in that of another, in words with figures. Throws `ProblemError`.
 * @param isResult whether what a node reads is the result of another, whose range is that one's
 */
export function changedParameters(
  before: NodeResult,
  after: NodeResult,
  isResult: (tensor: RoundedTensor) => boolean,
): readonly string[] {
  const changes: string[] = [];
  if (before.op !== after.op) changes.push(`it was a ${before.op}, and is a ${after.op}`);
  if ((before.quantized === undefined) !== (after.quantized === undefined)) {
    changes.push(after.quantized === undefined ? 'it is float32 now' : 'it is quantized now');
  }
  const [old, now] = [before.constants(), after.constants()];
  if (old.length !== now.length) changes.push('it has other constants');
  for (const [place, values] of old.entries()) {
    const change = describeChange(values, now[place]);
    if (change !== undefined) changes.push(`its ${place === 0 ? 'weights' : 'biases'} ${change}`);
  }
  const grids = [before, after].map(({ quantized }) => quantized?.rounded?.grid);
  const change = describeGrids(grids[0], grids[1]);
  if (change !== undefined) changes.push(`the range of its result was ${change}`);
  for (const [place, input] of (before.quantized?.inputs ?? []).entries()) {
    const other = after.quantized?.inputs[place];
    if (input.kind !== 'rounded' || other?.kind !== 'rounded' || isResult(input.tensor)) continue;
    const moved = describeGrids(input.tensor.grid, other.tensor.grid);
    if (moved !== undefined) changes.push(`the range of what it reads was ${moved}`);
  }
  return changes;
}

/** Biases are rounded anew, to many digits, wherever the range of what they are added to is another. */
const SAME_DB = 80;

function describeChange(old: Float32Array, now: Float32Array | undefined): string | undefined {
  if (now === undefined) return undefined;
  if (old.length !== now.length) return `had ${old.length} values, and have ${now.length}`;
  let noise = 0;
  let signal = 0;
  let changed = 0;
  for (let i = 0; i < old.length; i++) {
    const difference = (now[i] as number) - (old[i] as number);
    if (difference !== 0) changed += 1;
    noise += difference * difference;
    signal += (old[i] as number) ** 2;
  }
  if (changed === 0) return undefined;
  const db = toDecibels(over(noise, signal));
  if (db !== null && db > SAME_DB) return undefined;
  return `differ in ${changed} of ${old.length} values (${db === null ? 'not finite' : `${db.toFixed(1)} dB`})`;
}

function describeGrids(old: ActivationGrid | undefined, now: ActivationGrid | undefined): string | undefined {
  if (old === undefined || now === undefined) return undefined;
  if (old.scale === now.scale && old.zeroPoint === now.zeroPoint && old.dataType === now.dataType)
    return undefined;
  return `${rangeOf(old)}, and is ${rangeOf(now)}`;
}

function rangeOf({ scale, zeroPoint, codes }: ActivationGrid): string {
  const end = (code: number) => Number(((code - zeroPoint) * scale).toPrecision(3));
  return `[${end(codes.min)}, ${end(codes.max)}]`;
}
