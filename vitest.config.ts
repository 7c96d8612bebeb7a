import { defineConfig } from 'vitest/config';

/** What starts processes, opens sockets and waits for them: on a loaded machine one of these can lose a race that is not the product's. */
const PROCESSES = ['test/e2e/**/*.test.ts', 'test/integration/**/*.test.ts'];

/** What replaces modules for itself, which others in its thread would get, too. */
const REPLACES_MODULES = [
  'test/unit/jobs/evaluation-lanes.test.ts',
  'test/unit/jobs/stored-outputs.test.ts',
  'test/unit/onnx/write-model.test.ts',
  'test/unit/store/killed-while-making-token.test.ts',
];

export default defineConfig({
  test: {
    setupFiles: ['test/support/own-bench-lock.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // More than CPUs in CI: many of these tests wait for processes, and two of them leave a quarter of two CPUs idle.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...PROCESSES, ...REPLACES_MODULES],
          // Modules keep no state, so that files can share them: loading them anew for each took two fifths of the processor time.
          isolate: false,
          unstubEnvs: true,
        },
      },
      { extends: true, test: { name: 'alone', include: REPLACES_MODULES } },
      // Once again where nobody watches, and the report names what needed it; at a desk the first failure counts.
      {
        extends: true,
        test: {
          name: 'processes',
          include: PROCESSES,
          testTimeout: 180_000,
          retry: 'CI' in process.env ? 1 : 0,
        },
      },
    ],
  },
});
