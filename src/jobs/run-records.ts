import { existsSync } from 'node:fs';
import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { Store } from '../store/store.ts';
import type { WorkerEntry } from './confinement/confined-entry.ts';
import { sensitivityIn } from './explain/explain-variants.ts';
import type { PipelineResult } from './pipeline.ts';
import { TimelineReaders } from './read-run-timeline.ts';
import { changedItemsFile, sensitivityFile, timelineFile } from './run-files.ts';
import type { SearchedReport } from './search/searched-report.ts';
import type { SeriesQuery } from './series-task.ts';

/** What runs left in files, found by the names that the runs themselves have. */
export class RunRecords {
  readonly #store: Pick<Store, 'getRun' | 'runDirectory' | 'findArtifact' | 'holdArtifact'>;
  readonly #timelines: TimelineReaders;
  /** How many readers traces have that somebody reads, by their names. */
  readonly #reading = new Map<string, number>();

  constructor(
    store: Pick<Store, 'getRun' | 'runDirectory' | 'findArtifact' | 'holdArtifact'>,
    workerEntry: WorkerEntry,
  ) {
    this.#store = store;
    this.#timelines = new TimelineReaders({ entry: workerEntry });
  }

  /** The file that lists the items whose answer a variant changed in a run; undefined where the run evaluated no such variant. */
  changedItems(id: string, variant: string): string | undefined {
    // A result that another version wrote may have a shape of its own.
    const result = this.#store.getRun(id)?.result as Partial<PipelineResult> | undefined;
    // The name becomes a part of a path, so it must be one that the run itself had.
    const known = result?.variants?.find((outcome) => outcome.variant === variant)?.evaluation;
    return known === undefined ? undefined : changedItemsFile(this.#store.runDirectory(id), variant);
  }

  /** The file that tells what the nodes of a variant cost; undefined where the run explained no such variant, or it is gone. */
  sensitivity(id: string, variant: string): string | undefined {
    // The name becomes a part of a path, so it must be one that the run itself had.
    if (sensitivityIn(this.#store.getRun(id)?.result, variant) === undefined) return undefined;
    const file = sensitivityFile(this.#store.runDirectory(id), variant);
    return existsSync(file) ? file : undefined;
  }

  /** The file of an artifact, and of its external data where it has some; undefined where it is not there any more. */
  artifactFiles(hash: string): { readonly file: string; readonly data?: string } | undefined {
    const file = this.#store.findArtifact(hash)?.path;
    if (file === undefined) return undefined;
    return existsSync(`${file}.data`) ? { file, data: `${file}.data` } : { file };
  }

  /** The search that chose the recipe of an artifact; undefined where it was not searched, or is not there any more. */
  searchOf(hash: string): SearchedReport['search'] {
    // The report is stored as plain data by `ensureVariant` alone, so it has the report's shape.
    return (this.#store.findArtifact(hash)?.report as Partial<SearchedReport> | undefined)?.search;
  }

  /** Keeps an artifact from being removed while somebody reads it. Returns the function that ends it. */
  holdArtifact(hash: string): () => void {
    return this.#store.holdArtifact(hash);
  }

  /** A file of a run's trace, and the name that viewers know it by; undefined where the run has none. */
  traceFile(
    id: string,
    format: 'xplane' | 'perfetto',
  ): { readonly run: string; readonly file: string } | undefined {
    // A result that another version wrote may have a shape of its own.
    const result = this.#store.getRun(id)?.result as Partial<PipelineResult> | undefined;
    const { run, path, perfettoPath } = result?.trace ?? {};
    const file = format === 'xplane' ? path : perfettoPath;
    return typeof run === 'string' && typeof file === 'string' ? { run, file } : undefined;
  }

  /** Marks a trace as one that is read. Returns the function that ends it. */
  beginReadingTrace(run: string): () => void {
    this.#reading.set(run, (this.#reading.get(run) ?? 0) + 1);
    return () => {
      const left = (this.#reading.get(run) ?? 1) - 1;
      if (left === 0) this.#reading.delete(run);
      else this.#reading.set(run, left);
    };
  }

  /** Names of traces that somebody reads. */
  tracesInUse(): Iterable<string> {
    return this.#reading.keys();
  }

  /** Columns of a run's timeline, as JSON of a `SeriesView`; undefined where there is no such run, or it has no timeline. */
  async readTimeline(id: string, query: SeriesQuery): Promise<Result<string, Problem> | undefined> {
    const run = this.#store.getRun(id);
    if (run?.startedMs === undefined) return undefined;
    const file = timelineFile(this.#store.runDirectory(id));
    return existsSync(file) ? this.#timelines.read(file, query) : undefined;
  }
}
