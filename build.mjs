import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// What starts a process or a thread, and what others import. The rest comes in few files, as loading hundreds of small ones takes longer than starting Node.js.
// What is imported when it is needed stays in files of its own.
const ENTRIES = [
  'cli/main.ts',
  'jobs/worker-main.ts',
  'jobs/bench-lane-main.ts',
  'jobs/lane-main.ts',
  'jobs/session-thread-main.ts',
  'telemetry/sampler-main.ts',
  'client/client.ts',
];

/**
 * These are hundreds of small modules, which take longer to find and read than all else that a command does before it works. All other
 * packages stay outside: they are few files, or have binaries beside them. Of yaml it is the build for browsers, as the one for
 * Node.js is made of CommonJS modules, and differs in nothing else that is used.
 */
const BUNDLED = {
  typebox: undefined,
  yaml: fileURLToPath(new URL('browser/index.js', import.meta.resolve('yaml/package.json'))),
};

const packagesOutside = {
  name: 'packages-outside',
  setup: (building) =>
    building.onResolve({ filter: /^[^./]/ }, ({ kind, path }) => {
      if (kind === 'entry-point') return undefined;
      const [name] = path.split('/');
      if (!Object.hasOwn(BUNDLED, name)) return { path, external: true };
      return BUNDLED[name] === undefined ? undefined : { path: BUNDLED[name] };
    }),
};

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: ENTRIES.map((file) => `src/${file}`),
  outbase: 'src',
  outdir: 'dist',
  // As deep as the entries, so that paths relative to a file hold wherever its code ends up.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  plugins: [packagesOutside],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});

// What confines a process has to be done before Node.js reads from its channel, as only a script of the old kind is.
await build({
  entryPoints: ['src/confinement/launch-main.ts'],
  outfile: 'dist/confinement/launch-main.cjs',
  bundle: true,
  packages: 'external',
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});

// The page, for browsers: everything in one script and one style sheet.
await build({
  entryPoints: ['src/page/main.ts'],
  outdir: 'dist/page',
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'eof',
  logLevel: 'warning',
});

// The types of the client, for whoever imports `ptq-agent/client`.
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.client.json'], {
  stdio: 'inherit',
});
