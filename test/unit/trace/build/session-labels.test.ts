import { describe, expect, it } from 'vitest';
import { shortModelNames } from '../../../../src/trace/build/op-names.ts';
import { sessionLabels } from '../../../../src/trace/build/session-labels.ts';

const labelsOf = (...parts: (readonly [modelId: string, thread: string])[]) =>
  sessionLabels(
    parts.map(([modelId, thread]) => ({ modelId, thread })),
    shortModelNames(parts.map(([modelId]) => modelId)),
  );

describe('labels of sessions', () => {
  it('say the variant and the lane', () => {
    expect(
      labelsOf(
        ['net:fp32', 'bench fp32, lane 1'],
        ['net:int8', 'bench int8, lane 1'],
        ['net:int8', 'bench int8, lane 2'],
      ),
    ).toEqual(['fp32, lane 1', 'int8, lane 1', 'int8, lane 2']);
    expect(labelsOf(['net', 'bench'])).toEqual(['net, bench']);
    expect(labelsOf(['卷积', 'bench'])).toEqual(['卷积, bench']);
  });

  it('are there once', () => {
    expect(labelsOf(['net', 'evaluate net, lane 1'], ['net', 'bench net, lane 1'])).toEqual([
      'net, lane 1',
      'net, lane 1, session 2',
    ]);
  });
});
