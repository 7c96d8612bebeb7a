import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import { openWav } from '../../../../src/data/audio/wav-file.ts';
import { findRealModels, skipWithoutRealModels } from '../../../support/real-models.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { folderOf, idsOf, labelsOf, open, problemOf, truthsOf, valuesOf } from './audio-collections.ts';
import { plainFormat, shorts, wav } from './wav-writer.ts';

describe('frames', () => {
  it('follow each other behind their context, which is zeros before the start', async () => {
    const folder = folderOf({ 'a.wav': [1, 2, 3, 4, 5, 6, 7], 'b.wav': [8, 9, 10, 11] });
    const collection = await open(folder, { audio: { frame: { length: 3, context: 2 } } });
    expect(collection.count).toBe(3);
    expect(collection.fields[0]).toMatchObject({ dims: [5] });
    expect(await valuesOf(collection, 0)).toEqual([0, 0, 1, 2, 3]);
    expect(await valuesOf(collection, 1)).toEqual([2, 3, 4, 5, 6]);
    expect(await valuesOf(collection, 2)).toEqual([0, 0, 8, 9, 10]);
    expect(collection.describe(1)).toEqual({ id: 'a.wav#1', sequence: 'a.wav', group: 'a.wav' });
    expect(collection.describe(2)).toEqual({ id: 'b.wav#0', sequence: 'b.wav', group: 'b.wav' });
    expect(() => collection.describe(3)).toThrow(RangeError);
    await collection.close();
  });

  it('of one recording are never taken for those of another', async () => {
    const folder = folderOf({ 'a.wav': [1, 2, 3, 4, 5, 6], 'b.wav': [7, 8, 9, 10, 11, 12] });
    const collection = await open(folder, { audio: { frame: { length: 2 } } });
    expect(await valuesOf(collection, 0)).toEqual([1, 2]);
    expect(await valuesOf(collection, 4)).toEqual([9, 10]);
    expect(await valuesOf(collection, 2)).toEqual([5, 6]);
    await collection.close();
  });

  it('are read ahead where reading goes on, and by themselves where it goes back', async () => {
    const folder = folderOf({ 'a.wav': [1, 2, 3, 4, 5, 6] });
    const collection = await open(folder, { audio: { frame: { length: 2 } } });
    await valuesOf(collection, 0);
    // Only what is still to be read from the file is found changed.
    writeFileSync(join(folder, 'a.wav'), wav({ data: shorts([9, 9, 9, 9, 9, 9]) }));
    expect(await valuesOf(collection, 2)).toEqual([5, 6]);
    await collection.close();
    const again = await open(folder, { audio: { frame: { length: 2, context: 2 } } });
    await valuesOf(again, 2);
    await valuesOf(again, 0);
    writeFileSync(join(folder, 'a.wav'), wav({ data: shorts([7, 7, 7, 7, 7, 7]) }));
    expect(await valuesOf(again, 1)).toEqual([7, 7, 7, 7]);
    await again.close();
  });

  it('may overlap, or leave gaps', async () => {
    const folder = folderOf({ 'a.wav': [1, 2, 3, 4, 5, 6] });
    const overlapping = await open(folder, { audio: { frame: { length: 3, hop: 1 } } });
    expect(overlapping.count).toBe(4);
    expect(await valuesOf(overlapping, 3)).toEqual([4, 5, 6]);
    const apart = await open(folder, { audio: { frame: { length: 1, hop: 4 } } });
    expect(apart.count).toBe(2);
    expect(await valuesOf(apart, 1)).toEqual([5]);
    await overlapping.close();
    await apart.close();
  });

  it('divide a recording after it was cut or filled', async () => {
    const folder = folderOf({ 'a.wav': [1, 2, 3, 4, 5] });
    const filled = await open(folder, { audio: { length: 8, frame: { length: 4 } } });
    expect(filled.count).toBe(2);
    expect(await valuesOf(filled, 1)).toEqual([5, 0, 0, 0]);
    const cut = await open(folder, { audio: { length: 4, frame: { length: 2 } } });
    expect(cut.count).toBe(2);
    await filled.close();
    await cut.close();
  });

  it('are counted at the rate that is asked for', async () => {
    const folder = folderOf({
      'a.wav': wav({ format: plainFormat({ sampleRateHz: 8000 }), data: shorts([1, 2, 3]) }),
    });
    const collection = await open(folder, { audio: { sampleRate: 16_000, frame: { length: 2 } } });
    expect(collection.count).toBe(3);
    await collection.close();
  });

  it('are none of a recording that is too short, which is named', async () => {
    const folder = folderOf({ 'a.wav': [1], 'b.wav': [1, 2] });
    const collection = await open(folder, { audio: { frame: { length: 2 } } });
    expect(idsOf(collection)).toEqual(['b.wav#0']);
    expect(collection.unused).toEqual(['a.wav (shorter than one frame)']);
    expect(await problemOf(folder, { audio: { frame: { length: 3 } } })).toMatchObject({
      kind: 'no-samples',
    });
    await collection.close();
  });

  it('need headers that can be read', async () => {
    const folder = folderOf({ 'a.wav': [1, 2], 'b.wav': Buffer.from('nothing') });
    expect(await problemOf(folder, { audio: { frame: { length: 2 } } })).toMatchObject({
      kind: 'wav-invalid',
      place: { file: join(folder, 'b.wav') },
    });
  });

  it('are the same in any order, resampled or not, and when they are asked for at once', async () => {
    const tone = Array.from({ length: 90_000 }, (_, i) => Math.round(9000 * Math.sin(i / 7)));
    const folder = folderOf({ 'a.wav': tone, 'b.wav': tone.slice(5000, 7000) });
    for (const audio of [
      { frame: { length: 256, hop: 100, context: 30 } },
      { sampleRate: 11_025, frame: { length: 256, hop: 300, context: 30 } },
    ]) {
      const collection = await open(folder, { audio });
      const forward: (readonly number[])[] = [];
      for (let i = 0; i < collection.count; i += 1) forward.push(await valuesOf(collection, i));
      const any = fc.array(fc.nat(collection.count - 1), { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(any, async (indices) => {
          const read = await Promise.all(indices.map((i) => valuesOf(collection, i)));
          expect(read).toEqual(indices.map((i) => forward[i]));
        }),
        { numRuns: 50 },
      );
      await collection.close();
    }
  });
});

describe('labels of frames', () => {
  const frame = { length: 2 };

  it('with a number for each frame are handed out one by one', async () => {
    const labels = labelsOf({
      'a.wav': { truth: { kind: 'tensor', dims: [2], values: [0, 1] } },
      'b.wav': { truth: { kind: 'tensor', dims: [1, 2], values: Float32Array.of(7, 8) } },
    });
    const collection = await open(folderOf({ 'a.wav': [1, 2, 3, 4], 'b.wav': [5, 6] }), {
      audio: { frame },
      labels,
    });
    expect(await truthsOf(collection)).toEqual([
      { kind: 'tensor', dims: [], values: [0] },
      { kind: 'tensor', dims: [], values: [1] },
      { kind: 'tensor', dims: [2], values: [7, 8] },
    ]);
    await collection.close();
  });

  it('of any other kind go to every frame, with their group', async () => {
    const truth: Truth = { kind: 'class', index: 3 };
    const labels = labelsOf({ 'a.wav': { truth, group: 'speaker' } });
    const collection = await open(folderOf({ 'a.wav': [1, 2, 3, 4] }), { audio: { frame }, labels });
    expect(await truthsOf(collection)).toEqual([truth, truth]);
    expect(collection.describe(1)).toEqual({ id: 'a.wav#1', group: 'speaker', sequence: 'a.wav' });
    await collection.close();
  });

  it.each([
    [[3], [0, 1, 0], 'has 3 rows'],
    [[], [0], 'is a single number'],
  ])('of the dimensions %j do not fit two frames', async (dims, values, message) => {
    const labels = labelsOf({ 'a.wav': { truth: { kind: 'tensor', dims, values } } });
    expect(await problemOf(folderOf({ 'a.wav': [1, 2, 3, 4] }), { audio: { frame }, labels })).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining(message),
    });
  });
});

describe('a real recording', () => {
  const models = findRealModels();
  skipWithoutRealModels(models);
  const path = join(models.directory ?? '', 'silero_vad', 'test.wav');

  it.runIf(existsSync(path))('of a minute gives 1875 frames of 512 samples at 16 kHz', async () => {
    const collection = await open(path, {
      audio: { sampleRate: 16_000, frame: { length: 512, context: 64 } },
    });
    expect(collection.count).toBe(1875);
    const file = unwrap(await openWav(path));
    const all = unwrap(await file.readFrames(0, file.frames));
    for (const k of [1, 63, 64, 65, 1000, 1874]) {
      const field = unwrap(await collection.read(k)).fields['audio'];
      const expected = all.subarray(512 * k - 64, 512 * k + 512);
      expect(field).toMatchObject({ tensor: { dims: [576], data: expected } });
    }
    await file.close();
    await collection.close();
  });
});
