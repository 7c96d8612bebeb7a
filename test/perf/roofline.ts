import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/core/clock.ts';
import { formatSeconds, formatSi } from '../../src/core/units.ts';
import { hostPeaks } from '../../src/jobs/host-peaks.ts';
import { unwrap } from '../support/unwrap.ts';
import { atLeastRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';

const SCRIPT = fileURLToPath(new URL('./roofline-peer.py', import.meta.url));
const SOURCE = fileURLToPath(new URL('./roofline-peer.c', import.meta.url));
const WORKER = new URL('../../dist/jobs/worker-main.js', import.meta.url);

/** What is measured in the caches and behind them; the compiler's loop works on the same buffers. */
const CACHED_BYTES = 2 ** 20;
const MEMORY_BYTES = 512 * 2 ** 20;

/**
 * The peaks that the probe finds, at one thread, against a product of numpy (OpenBLAS) and against loops that a C compiler made
 * for this processor. A probe that finds much less than they do has roofs that are too low.
 */
export async function roofline(onRow: OnRow): Promise<readonly PerfRow[]> {
  const rows: PerfRow[] = [];
  const tell = (row: PerfRow) => {
    onRow(row);
    rows.push(row);
  };
  const peaks = unwrap(
    await hostPeaks({ device: 'cpu', threads: 1 }, { host: { entry: WORKER }, clock: systemClock }),
  );
  const subject = 'peaks, 1 thread';
  tell({
    ...plainRow(subject, 'the probe takes', formatSeconds(peaks.seconds)),
    detail: peaks.doubts.length === 0 ? 'nothing disturbed it' : `${peaks.doubts.length} doubts`,
  });
  const { float32, int8 } = peaks.operationsPerSecond;
  tell(plainRow(subject, 'int8', int8 === null ? 'none' : formatSi(int8, 'OP/s')));
  const products = numpyProducts();
  if (products === null)
    tell(plainRow(subject, 'float32 / numpy', 'skipped: PTQ_PEER_PYTHON names no Python with numpy'));
  else {
    const ratio = atLeastRow(subject, 'float32 / numpy', (float32 ?? 0) / products, 0.9);
    tell({ ...ratio, detail: `${formatSi(float32 ?? 0, 'FLOP/s')} / ${formatSi(products, 'FLOP/s')}` });
  }
  const nearest = peaks.levels[0];
  const memory = peaks.levels.at(-1);
  for (const [name, level, bytes] of [
    ['nearest cache', nearest, CACHED_BYTES],
    ['memory', memory, MEMORY_BYTES],
  ] as const) {
    const loops = compiledLoops(bytes);
    if (loops === null) tell(plainRow(subject, `${name} / loop of C`, 'skipped: there is no gcc'));
    else {
      const own = level?.bytesPerSecond ?? 0;
      const ratio = atLeastRow(
        subject,
        `${name} / best loop of C`,
        own / Math.max(loops.copied, loops.changed),
        0.8,
      );
      tell({
        ...ratio,
        detail: `${formatSi(own, 'B/s')}; C: copy ${formatSi(loops.copied, 'B/s')}, in place ${formatSi(loops.changed, 'B/s')}`,
      });
    }
  }
  return rows;
}

/** FLOP/s; null where there is no Python with numpy. */
function numpyProducts(): number | null {
  const python = process.env['PTQ_PEER_PYTHON'];
  if (python === undefined) return null;
  const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  return Number(execFileSync(python, [SCRIPT], { env, encoding: 'utf8' })) * 1e9;
}

/** Bytes a second; null where nothing compiles them. */
function compiledLoops(bytes: number): { readonly copied: number; readonly changed: number } | null {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-roofline-'));
  try {
    const program = join(folder, 'loops');
    execFileSync('gcc', ['-O3', '-march=native', '-ffast-math', '-o', program, SOURCE], { stdio: 'ignore' });
    const [copied = 0, changed = 0] = execFileSync(program, [String(bytes)], { encoding: 'utf8' })
      .split(' ')
      .map((figure) => Number(figure) * 1e9);
    return { copied, changed };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
