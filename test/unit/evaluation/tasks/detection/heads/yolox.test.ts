import { describe, expect, it } from 'vitest';
import { floats, found, problemOf } from './decode-with.ts';

const FED = { width: 64, height: 32 };
// Strides 8, 16, 32 over 64 × 32 pixels: 8 × 4, 4 × 2 and 2 × 1 cells.
const CELLS = 32 + 8 + 2;

function outputWith(rows: Readonly<Record<number, readonly number[]>>) {
  const values = new Array<number>(CELLS * 7).fill(0);
  for (const [row, fields] of Object.entries(rows)) {
    fields.forEach((value, i) => {
      values[Number(row) * 7 + i] = value;
    });
  }
  return { output: floats([1, CELLS, 7], values) };
}

describe('the head yolox', () => {
  it('adds the cell to the centre and takes exp of the size, in strides', () => {
    const tensors = outputWith({
      // Stride 8, row 1, column 2.
      10: [0.5, 0.25, 0, Math.log(2), 1, 0.5, 0.75],
      // Stride 16, row 1, column 0.
      36: [0, 0, 0, 0, 0.5, 1, 0],
      // Stride 32, column 1.
      41: [0.5, 0.5, 0, 0, 1, 1, 0],
    });
    const { boxes, scores, labels, classCount } = found({ head: 'yolox' }, tensors, FED);
    expect(boxes.map((box) => box.map((value) => Math.round(value * 1e4) / 1e4))).toEqual([
      [16, 2, 24, 18],
      [-8, 8, 8, 24],
      [32, 0, 64, 32],
    ]);
    // Only the best class of a box counts.
    expect({ scores, labels, classCount }).toEqual({
      scores: [0.75, 0.5, 1],
      labels: [1, 0, 0],
      classCount: 2,
    });
  });

  it('counts the cells at the right and lower edge that the picture fills in part', () => {
    const tensors = outputWith({ 41: [0.5, 0.5, 0, 0, 1, 1, 0] });
    expect(found({ head: 'yolox' }, tensors, { width: 60, height: 30 }).boxes).toEqual([[32, 0, 64, 32]]);
  });

  it('finds nothing where objectness is not a number', () => {
    const tensors = outputWith({ 3: [0, 0, 0, 0, Number.NaN, 1, 1] });
    expect(found({ head: 'yolox' }, tensors, FED)).toMatchObject({ boxes: [], hasNaN: true });
  });

  it('says how many boxes the strides give', () => {
    const output = floats([1, 41, 7], new Array(41 * 7).fill(0));
    expect(problemOf({ head: 'yolox' }, { output }, FED)).toMatchObject({
      kind: 'output-shape-unexpected',
      message:
        'the output "output" is [1, 41, 7], and the head yolox reads [1, N, 5 + C] with N = 42 cells of the strides 8, 16, 32 over 64 × 32 pixels',
    });
    expect(
      found({ head: 'yolox', strides: [8, 16] }, { output: floats([1, 40, 7], new Array(280).fill(0)) }, FED),
    ).toMatchObject({ boxes: [] });
  });

  it('needs the size of the fed picture', () => {
    expect(problemOf({ head: 'yolox' }, outputWith({}), 'unknown')).toMatchObject({
      kind: 'task-settings-invalid',
      message: 'the head yolox needs the size of the fed picture, which the data do not tell',
      place: { field: '/input' },
    });
  });

  it.each([
    [[], '/strides'],
    [[8, -16], '/strides/1'],
  ])('refuses the strides %j', (strides, field) => {
    expect(problemOf({ head: 'yolox', strides }, outputWith({}), FED)).toMatchObject({
      kind: 'task-settings-invalid',
      place: { field },
    });
  });
});
