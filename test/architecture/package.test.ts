import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from './planted-project.ts';

const read = (file: string) => readFileSync(join(REPOSITORY, file), 'utf8');

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly engines?: { readonly node?: string };
        readonly resolved?: string;
        readonly dev?: boolean;
        readonly optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as LockFile;

describe('the package', () => {
  it('installs one command, compiled from a source with a shebang', () => {
    expect(manifest.bin).toEqual({ 'ptq-agent': 'dist/cli/main.js' });
    expect(read('src/cli/main.ts').split('\n', 1)).toEqual(['#!/usr/bin/env node']);
  });

  it('says that it runs from Node.js 20.19 on', () => {
    expect(manifest.engines.node).toBe('>=20.19.0');
  });

  it('has no dependency that asks for a newer Node.js than it says itself', () => {
    const tooNew = Object.entries(lock.packages).filter(
      ([, { engines, dev }]) => dev !== true && /^\s*(>=|\^|~)?\s*2[1-9]/.test(engines?.node ?? ''),
    );
    expect(tooNew.map(([name]) => name)).toEqual([]);
  });

  it('ships what a user needs and nothing that does not exist', () => {
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'profiles', 'README.md', 'LICENSE']));
    for (const name of manifest.files.filter((file) => file !== 'dist')) {
      expect(existsSync(join(REPOSITORY, name)), name).toBe(true);
    }
  });

  it('pins its dependencies to exact versions', () => {
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  it('names no registry in its lock file, so that any mirror serves', () => {
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  it('has an entry in its lock file for the packages of every platform, without which npm ci refuses it', () => {
    // `node .ci/complete-lock.cjs` adds those that a registry mirror did not have.
    const optional = Object.values(lock.packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(optional.length).toBeGreaterThan(0);
    expect(optional.filter((name) => lock.packages[`node_modules/${name}`] === undefined)).toEqual([]);
  });

  it('keeps npm ci from downloading CUDA libraries', () => {
    expect(read('.npmrc').split('\n')).toContain('onnxruntime-node-install=skip');
  });
});
