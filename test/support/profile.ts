import type { Profile } from '../../src/config/profile.ts';

/** A registered model whose files need not exist. */
export function profileOf(name: string, more: Partial<Profile> = {}): Profile {
  return {
    file: `/profiles/${name}/profile.yaml`,
    name,
    model: `/models/${name}.onnx`,
    data: {
      set: { path: '/data.npz' },
      calibration: { split: 'calib', samples: 16 },
      evaluation: { split: 'eval' },
    },
    task: { name: 'classification', settings: {} },
    variants: [
      {
        name: 'int8',
        recipe: {
          format: 'static-int8',
          calibration: { method: 'minmax', samples: 16 },
          perTensor: false,
          reduceRange: 'auto',
          exclude: { opTypes: [], nodes: [] },
        },
      },
    ],
    budget: { metric: 'top1', absolute: 0.05 },
    bench: {
      threads: 1,
      scenarios: [
        {
          name: 'single-stream',
          scenario: 'single-stream',
          preset: 'quick',
          durationSeconds: 1,
          processes: 1,
        },
      ],
      suites: [],
    },
    schedule: { jitterSeconds: 0, onChange: true },
    ...more,
  };
}
