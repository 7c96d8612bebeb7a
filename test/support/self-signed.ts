import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

export const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

/** A certificate of the address 127.0.0.1 and of no name, signed by itself, and the file in which it lies. Needs openssl. */
export function selfSigned(): { readonly key: string; readonly cert: string; readonly certFile: string } {
  const folder = temporaryFolder();
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key'];
  const names = ['-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...newKey, '-days', '2', '-out', 'crt', ...names], {
    cwd: folder,
    stdio: 'ignore',
  });
  const certFile = join(folder, 'crt');
  return { key: readFileSync(join(folder, 'key'), 'utf8'), cert: readFileSync(certFile, 'utf8'), certFile };
}
