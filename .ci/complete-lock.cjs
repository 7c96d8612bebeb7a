// Completes package-lock.json after `npm install` from a registry mirror that does not hold the packages of other platforms.
//
// Tools ship their binaries as optional dependencies, one per platform. Those that the mirror does not have are left out of the lock
// file, and then `npm ci` refuses it as incomplete. An entry with the version and the platform is all that `npm ci` needs in order to pass
// over a package that is not for the machine at hand. What npm has entered itself stays as it is.
//
// usage: node .ci/complete-lock.cjs

const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const FILE = join(__dirname, '../package-lock.json');
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const LIBRARIES = { gnu: 'glibc', musl: 'musl' };

/** `@swc/core-linux-x64-gnu` → linux, x64, glibc. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const at = words.findIndex((word) => SYSTEMS.includes(word));
  if (at < 0) throw new Error(`the name of ${name} does not tell its platform: add it to package-lock.json by hand`);
  const libc = LIBRARIES[words[at + 2]];
  return { cpu: [words[at + 1]], ...(libc === undefined ? {} : { libc: [libc] }), os: [words[at]] };
}

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
for (const { dev, optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] !== undefined) continue;
    const { cpu, libc, os } = platformOf(name);
    lock.packages[path] = {
      version,
      cpu,
      ...(dev ? { dev } : {}),
      ...(libc === undefined ? {} : { libc }),
      optional: true,
      os,
    };
    process.stdout.write(`added ${name} ${version}\n`);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
