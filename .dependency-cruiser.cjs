// One table says who may import whom. A room may import only itself and what its row lists.
const MAY_IMPORT = {
  core: [],
  onnx: ['core'],
  quantization: ['core', 'onnx'],
  runtime: ['core'],
  data: ['core'],
  evaluation: ['core'],
  benchmark: ['core'],
  telemetry: ['core'],
  trace: ['core'],
  metrics: ['core'],
  store: ['core'],
  config: ['core'],
  confinement: ['core'],
  jobs: [
    'core',
    'onnx',
    'quantization',
    'runtime',
    'data',
    'evaluation',
    'benchmark',
    'telemetry',
    'trace',
    'metrics',
    'store',
    'config',
    'confinement',
  ],
  api: ['core'],
  // What it takes of the API are types: others import it without the daemon.
  client: ['core', 'api'],
  // It knows daemons by their client alone, and hosts by what they answer.
  fleet: ['core', 'client', 'config', 'benchmark'],
  page: ['core', 'telemetry'],
  server: ['core', 'api', 'jobs', 'metrics', 'store', 'config', 'trace'],
};

// A third-party package that only one room may touch.
const OWNED_BY = {
  'onnxruntime-node': 'runtime',
  fastify: 'server',
  '@fastify/send': 'server',
  '@node-rs/bcrypt': 'server',
  'prom-client': 'metrics',
  libsql: 'store',
  yauzl: 'data',
  sharp: 'data',
  'csv-parse': 'data',
  '@cornerstonejs/codec-libjpeg-turbo-8bit': 'data',
  '@huggingface/tokenizers': 'data',
  yaml: 'config',
  croner: 'config',
  uplot: 'page',
  systeminformation: 'telemetry',
  ulid: 'store',
  koffi: '(telemetry|confinement|cli)',
  'node-nvidia-smi': 'telemetry',
  xml2js: 'telemetry',
  pino: 'cli',
  commander: 'cli',
  'cli-progress': 'cli',
  'cli-table3': 'cli',
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nobody-imports-cli',
      severity: 'error',
      from: { pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      // Commands never come near a request or a model file: only these two rooms start processes.
      name: 'only-jobs-and-telemetry-start-processes',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(jobs|telemetry)/' },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'only-server-speaks-http2',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/server/' },
      to: { path: '^(node:)?http2$' },
    },
    ...Object.entries(MAY_IMPORT).map(([room, allowed]) => ({
      name: `${room}-imports-only-[${allowed}]`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
    })),
    ...Object.entries(OWNED_BY).map(([pkg, room]) => ({
      name: `only-${room}-imports-${pkg}`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/${room}/` },
      to: { path: `(^|/)node_modules/${pkg}($|/)` },
    })),
  ],
  options: { parser: 'swc', tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' } },
};
