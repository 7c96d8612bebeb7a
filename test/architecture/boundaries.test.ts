import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cruise } from './cruise.ts';
import { plantProject, REPOSITORY } from './planted-project.ts';

interface Rule {
  readonly name: string;
  readonly severity: string;
  readonly from: { readonly path?: string };
  readonly to: { readonly path?: string; readonly pathNot?: string };
}

const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly Rule[];
};

/** What the rules let each room import besides itself, read back from the patterns that dependency-cruiser gets. */
const mayImport = new Map(
  forbidden.flatMap(({ from, to }) => {
    const room = /^\^src\/(\w+)\/$/.exec(from.path ?? '')?.[1];
    const allowed = /^\^src\/\(([\w|]+)\)\/$/.exec(to.pathNot ?? '')?.[1];
    if (room === undefined || allowed === undefined) return [];
    return [[room, allowed.split('|').filter((name) => name !== room)] as const];
  }),
);

const rooms = readdirSync(join(REPOSITORY, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** The rooms that know one subject each and nothing of the others. */
const domainRooms = rooms.filter(
  (room) => !['core', 'quantization', 'jobs', 'server', 'page', 'client', 'fleet', 'cli'].includes(room),
);

describe('the rooms of src', () => {
  it('import only what the table allows', () => {
    const { modules, dependencies, violations } = cruise();
    // Without the swc parser dependency-cruiser sees no TypeScript, finds nothing wrong and is content.
    expect(modules).toBeGreaterThan(50);
    expect(dependencies).toBeGreaterThan(200);
    expect(violations).toEqual([]);
  });

  it('each have a row in the table, but for cli, which may import everything', () => {
    expect([...mayImport.keys(), 'cli'].sort()).toEqual(expect.arrayContaining([...rooms].sort()));
  });

  it.each(domainRooms)('%s imports nothing but core', (room) => {
    expect(mayImport.get(room)).toEqual(['core']);
  });

  it('core imports no other room', () => {
    expect(mayImport.get('core')).toEqual([]);
  });

  it('client imports core, and the words of the API', () => {
    expect(mayImport.get('client')).toEqual(['core', 'api']);
  });

  it('fleet knows daemons by their client alone', () => {
    expect(mayImport.get('fleet')).toEqual(['core', 'client', 'config', 'benchmark']);
  });

  it('quantization imports core and onnx', () => {
    expect(mayImport.get('quantization')).toEqual(['core', 'onnx']);
  });

  it('jobs imports every room that it joins, and neither server nor cli', () => {
    const joined = rooms.filter((room) => !['jobs', 'server', 'page', 'cli'].includes(room));
    expect(joined).toEqual(expect.arrayContaining([...(mayImport.get('jobs') ?? [])]));
    expect(mayImport.get('jobs')).toEqual(
      expect.arrayContaining(['onnx', 'quantization', 'runtime', 'store']),
    );
  });

  it('server reaches models only through jobs', () => {
    expect(['core', 'api', 'jobs', 'metrics', 'store', 'config', 'trace']).toEqual(
      expect.arrayContaining([...(mayImport.get('server') ?? [])]),
    );
  });
});

describe('a violation', () => {
  const planted = {
    'src/core/units.ts': "import { readModel } from '../onnx/model.ts';\nexport const unit = readModel;\n",
    'src/onnx/model.ts':
      "import type { Session } from '../runtime/session.ts';\nexport const readModel = (s: Session) => s;\n",
    'src/runtime/session.ts':
      "import { InferenceSession } from 'onnxruntime-node';\nexport type Session = InferenceSession;\n",
    'src/store/loop.ts': "import { back } from './back.ts';\nexport const loop = back;\n",
    'src/store/back.ts': "import { loop } from './loop.ts';\nexport const back = () => loop;\n",
    'src/benchmark/run.ts':
      "import { InferenceSession } from 'onnxruntime-node';\nexport const run = InferenceSession;\n",
    'src/config/print.ts': "import { table } from '../cli/table.ts';\nexport const print = table;\n",
    'src/cli/table.ts': 'export const table = 1;\n',
    'src/data/unzip.ts': "import { spawn } from 'node:child_process';\nexport const unzip = spawn;\n",
  };
  const { violations } = cruise(plantProject(planted));
  const found = (from: string, to: RegExp) =>
    violations.filter((violation) => violation.from === `src/${from}` && to.test(violation.to));

  it('is found where a room imports one that it may not', () => {
    expect(found('core/units.ts', /onnx\/model/)).not.toEqual([]);
  });

  it('is found where only a type is imported', () => {
    expect(found('onnx/model.ts', /runtime\/session/)).not.toEqual([]);
  });

  it('is found where a package is used outside the room that owns it', () => {
    expect(found('benchmark/run.ts', /onnxruntime-node/)).not.toEqual([]);
    expect(found('runtime/session.ts', /onnxruntime-node/)).toEqual([]);
  });

  it('is found where modules import each other in a circle', () => {
    expect(violations.map(({ rule }) => rule)).toContain('no-circular');
  });

  it('is found where a room starts processes that should not', () => {
    expect(found('data/unzip.ts', /child_process/)).not.toEqual([]);
  });

  it('is found where a room imports the command line', () => {
    expect(found('config/print.ts', /cli\/table/)).not.toEqual([]);
  });
});
