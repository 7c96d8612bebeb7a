import {
  FIELDS,
  FIRST_DETAIL,
  INPUT_SHAPES,
  NAME,
  OP_NAME,
  OUTPUT_SHAPES,
  OUTPUT_SIZE,
  PARAMETER_SIZE,
  PROVIDER,
  SCHEDULING,
} from './event-fields.ts';
import type { EventScanner } from './event-scanner.ts';
import { KindIndex } from './kind-index.ts';
import { KERNEL_SUFFIX, type ProfileColumns, type ProfileKind } from './profile-columns.ts';
import { WorkerGatherer } from './worker-gatherer.ts';

/** A model whose shapes change with every run has kinds without end; beyond these, kinds are known without shapes. */
const MOST_KINDS = 50_000;

/** Sorts what the scanner finds into columns, which grow. */
export class ColumnBuilder {
  #count = 0;
  #kinds = new Uint32Array(1024);
  #startsUs = new Float64Array(1024);
  #durationsUs = new Float64Array(1024);
  #threads = new Int32Array(1024);
  #inUse = new Float64Array(1024);
  #growth = new Float64Array(1024);
  #peak = new Float64Array(1024);
  #held = new Float64Array(1024);
  #hasMemory = false;
  readonly #kindList: (ProfileKind | undefined)[] = [];
  readonly #index = new KindIndex(MOST_KINDS);
  readonly #workers = new WorkerGatherer();

  /** Takes over the event that `scanner` has just read out of `bytes`. */
  add(scanner: EventScanner, bytes: Buffer): void {
    const { startUs, durationUs, category } = scanner;
    if (category === undefined || !Number.isFinite(startUs) || !Number.isFinite(durationUs)) return;
    if ((scanner.to[NAME] as number) < 0) return;
    const place = this.#placeOf(scanner, bytes, category);
    // Older versions of the runtime also timed what lies between kernels.
    if (this.#kindList[place] === undefined) return;
    const row = this.#count;
    if (row === this.#kinds.length) this.#grow();
    this.#kinds[row] = place;
    this.#startsUs[row] = startUs;
    this.#durationsUs[row] = durationUs;
    this.#threads[row] = scanner.thread;
    this.#inUse[row] = scanner.inUse;
    this.#growth[row] = scanner.growth;
    this.#peak[row] = scanner.peak;
    this.#held[row] = scanner.held;
    this.#hasMemory ||= !Number.isNaN(scanner.inUse);
    const to = scanner.to[SCHEDULING] as number;
    const from = scanner.from[SCHEDULING] as number;
    if (to > from) this.#workers.add(row, bytes, from, to);
    this.#count++;
  }

  finish(found: Pick<ProfileColumns, 'isTruncated' | 'unreadable'>): ProfileColumns {
    const count = this.#count;
    return {
      count,
      kinds: this.#kinds.subarray(0, count),
      startsUs: this.#startsUs.subarray(0, count),
      durationsUs: this.#durationsUs.subarray(0, count),
      threads: this.#threads.subarray(0, count),
      // Kinds that are left out have no rows.
      kindList: this.#kindList.map((kind) => kind ?? NO_KIND),
      ...(this.#hasMemory
        ? {
            memory: {
              inUse: this.#inUse.subarray(0, count),
              growth: this.#growth.subarray(0, count),
              peak: this.#peak.subarray(0, count),
              held: this.#held.subarray(0, count),
            },
          }
        : {}),
      workers: this.#workers.finish(),
      ...found,
    };
  }

  #placeOf(scanner: EventScanner, bytes: Buffer, category: ProfileKind['category']): number {
    const place = this.#index.find(scanner, bytes);
    if (place === this.#kindList.length) {
      this.#kindList.push(readKind(scanner, bytes, category, place < MOST_KINDS));
    }
    return place;
  }

  #grow(): void {
    const length = this.#kinds.length * 2;
    this.#kinds = enlarged(this.#kinds, new Uint32Array(length));
    this.#threads = enlarged(this.#threads, new Int32Array(length));
    this.#startsUs = enlarged(this.#startsUs, new Float64Array(length));
    this.#durationsUs = enlarged(this.#durationsUs, new Float64Array(length));
    this.#inUse = enlarged(this.#inUse, new Float64Array(length));
    this.#growth = enlarged(this.#growth, new Float64Array(length));
    this.#peak = enlarged(this.#peak, new Float64Array(length));
    this.#held = enlarged(this.#held, new Float64Array(length));
  }
}

function enlarged<T extends Uint32Array | Int32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

const NO_KIND: ProfileKind = {
  category: 'node',
  name: '',
  op: '',
  provider: '',
  inputShapes: '[]',
  outputShapes: '[]',
  outputBytes: 0,
  parameterBytes: 0,
  details: {},
};

function readKind(
  { from, to, isEscaped }: EventScanner,
  bytes: Buffer,
  category: ProfileKind['category'],
  withShapes: boolean,
): ProfileKind | undefined {
  const text = (field: number) => {
    const end = to[field] as number;
    const written = end < 0 ? '' : bytes.toString('utf8', from[field], end);
    return isEscaped ? unescaped(written) : written;
  };
  const shapes = (field: number) => {
    const end = to[field] as number;
    return end < 0 || !withShapes ? '[]' : compact(bytes.toString('utf8', from[field], end));
  };
  const fullName = text(NAME);
  if (category === 'node' && !fullName.endsWith(KERNEL_SUFFIX)) return undefined;
  return {
    category,
    name: category === 'node' ? fullName.slice(0, -KERNEL_SUFFIX.length) : fullName,
    op: text(OP_NAME),
    provider: text(PROVIDER),
    inputShapes: shapes(INPUT_SHAPES),
    outputShapes: shapes(OUTPUT_SHAPES),
    outputBytes: Number(text(OUTPUT_SIZE)) || 0,
    parameterBytes: Number(text(PARAMETER_SIZE)) || 0,
    details: Object.fromEntries(
      FIELDS.slice(FIRST_DETAIL).flatMap((name, index) =>
        (to[FIRST_DETAIL + index] as number) < 0 ? [] : [[name, text(FIRST_DETAIL + index)]],
      ),
    ),
  };
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return '[]';
  }
}
