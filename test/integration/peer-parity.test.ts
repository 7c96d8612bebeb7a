import { describe, expect, it } from 'vitest';
import { peerParity } from '../perf/peer-parity.ts';
import {
  BASELINE_MODELS,
  bundledSubject,
  findPeerPython,
  findSubjects,
  MORE_MODELS,
} from '../perf/peer-subjects.ts';

// Holds min-max quantization against onnxruntime.quantization, from the same prepared model and the same samples.

const SAMPLES = 4;
const { python, reason } = findPeerPython();
const missing: string[] = [];
const subjects = findSubjects([...BASELINE_MODELS, ...MORE_MODELS], (why) => missing.push(why));

describe('parity with onnxruntime.quantization', () => {
  if (python === undefined) {
    it(`is not tested: ${reason}`, (context) => {
      context.skip(reason);
    });
    return;
  }

  it('of the bundled model holds to the last bit, outputs included', { timeout: 60_000 }, async () => {
    const { room } = await peerParity(bundledSubject(), SAMPLES, python);
    expect(room.activations).toMatchObject({ compared: 15, equal: 15, oursOnly: [] });
    expect(room.weights).toMatchObject({ compared: 10, equal: 10, oursOnly: [], peerOnly: [] });
    expect(room.biases).toMatchObject({ compared: 10, equal: 10, oursOnly: [], peerOnly: [] });
    expect(room.outputs).toMatchObject({ tensors: SAMPLES, bitEqual: SAMPLES });
  });

  it.each(subjects)('of $name leaves no difference unexplained', { timeout: 300_000 }, async (subject) => {
    const { room } = await peerParity(subject, SAMPLES, python);
    const { activations, weights, biases, transplanted } = room;
    expect(activations.compared).toBeGreaterThan(0);
    expect(activations.oursOnly).toEqual([]);
    expect(activations.different.filter(({ placement, shared }) => !placement && !shared)).toEqual([]);
    expect(weights.compared).toBeGreaterThan(0);
    expect([...weights.different, ...biases.different].filter(isUnexplained)).toEqual([]);
    expect(transplanted.bitEqual).toBe(transplanted.tensors);
  });

  if (missing.length > 0) {
    it(`is not tested on other models: ${missing.join('; ')}`, (context) => {
      context.skip(missing.join('; '));
    });
  }
});

function isUnexplained({ alike, unexplained = 0 }: { alike: boolean; unexplained?: number }): boolean {
  return !alike || unexplained > 0;
}
