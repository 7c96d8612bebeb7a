/** What the daemon answers, as far as the page reads it. */
export interface Model {
  readonly name: string;
  readonly task: string;
  readonly recommended?: { readonly variant: string; readonly reason: string };
  readonly run?: { readonly href: string; readonly finishedAt: string };
  readonly variants: readonly Variant[];
}

export interface Variant {
  readonly variant: string;
  readonly sizeBytes?: number;
  readonly file?: string;
  readonly onFront?: boolean;
  /** Where it is told what its nodes cost. */
  readonly sensitivity?: string;
  /** Where it is told what the search for its recipe tried. */
  readonly search?: string;
  readonly accuracy?: {
    readonly verdict: string;
    readonly verdictReason: string;
    readonly n: number;
    readonly agreement?: number;
    readonly figure?: {
      readonly metric: string;
      readonly value: number | null;
      readonly reference: number | null;
    };
  };
  readonly bench: readonly Measured[];
  readonly speedUps: readonly SpeedUp[];
}

/** What the nodes of a variant cost, as far as the page reads it. */
export interface Sensitivity {
  readonly samples: number;
  readonly measured: { readonly alone: number; readonly of: number };
  readonly nodes: readonly {
    readonly node: string;
    readonly op: string;
    readonly alone?: { readonly sqnrDb: number | null; readonly changedAnswers?: number };
    readonly own: { readonly sqnrDb: number | null };
    readonly accumulatedSqnrDb?: number | null;
    readonly reason: string;
    readonly advice: readonly string[];
  }[];
}

/** What a search of recipes found, as far as the page reads it. */
export interface Search {
  readonly samples: { readonly make: number; readonly choose: number };
  readonly choice: { readonly label: string; readonly reason: string };
  readonly candidates: readonly Searched[];
}

export interface Searched {
  readonly label: string;
  readonly sizeBytes?: number;
  readonly accuracy?: {
    readonly metric: string;
    readonly value: number | null;
    readonly sqnrDb: number | null;
    readonly standing: string;
    readonly reason: string;
  };
  readonly latency?: {
    readonly medianSeconds: number;
    readonly speedUp: { readonly ratio: number; readonly lower: number; readonly upper: number } | null;
    readonly invalidReasons: readonly string[];
  };
  readonly isOnFront: boolean;
  readonly isChosen: boolean;
}

export interface Measured {
  readonly suite: string;
  readonly measurement: string;
  readonly valid: boolean;
  readonly throughput: number | null;
  readonly peakRssBytes?: number | null;
  readonly p50Seconds: number | null;
  readonly p99Seconds: number | null;
}

export interface SpeedUp {
  readonly outcome: string;
  readonly ratio: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly valid: boolean;
}

export interface Progress {
  readonly phase: string;
  readonly subject?: string;
  readonly done: number;
  readonly total?: number;
  readonly unit: string;
}

export interface Run {
  readonly id: string;
  readonly kind: string;
  readonly model: string;
  readonly state: string;
  readonly request: { readonly reasons?: readonly string[] } | null;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly queuePosition?: number;
  readonly cancelling?: boolean;
  readonly progress?: Progress;
  readonly problem?: { readonly kind: string; readonly message: string; readonly hint?: string };
  readonly result?: {
    readonly trace?: { readonly run: string | null; readonly warnings?: readonly string[] };
  };
}

/** What the runs of a model say from one to the next. */
export interface Watch {
  readonly series: readonly WatchedSeries[];
  readonly events: readonly WatchEvent[];
}

interface SeriesKey {
  readonly kind: 'latency' | 'accuracy';
  readonly variant: string;
  readonly suite: string;
  readonly measurement: string;
}

export interface WatchedSeries extends SeriesKey {
  readonly state: string;
  readonly since: string;
  readonly latency?: {
    readonly baselineRuns: number;
    readonly expectedSeconds: number | null;
    readonly limitSeconds: number | null;
    readonly lastSeconds: number | null;
    readonly changeRatio: number | null;
  };
  readonly accuracy?: {
    readonly baseline: number | null;
    readonly last: number | null;
    readonly lossToBaseline: number | null;
  };
}

export interface WatchEvent {
  readonly at: string;
  readonly kind: 'state' | 'baseline' | 'acknowledged' | 'confirmation' | 'layers';
  readonly of: SeriesKey;
  readonly from: string;
  readonly to: string;
  readonly run?: string;
  readonly reason: string;
  readonly causes: readonly { readonly words: string }[];
}

/** A point of a model's history. */
export interface HistoryPoint {
  readonly run: string;
  readonly finishedAt: string;
  readonly variant: string;
  readonly p50Seconds: number | null;
  readonly throughput: number | null;
  readonly valid: boolean;
  readonly accuracy?: number;
}

export interface Timeline {
  readonly complete: boolean;
  readonly startSeconds: number;
  readonly stepSeconds: number;
  readonly points: number;
  readonly columns: readonly { readonly name: string; readonly mean: readonly (number | null)[] }[];
  readonly phases: readonly {
    readonly phase: string;
    readonly subject?: string;
    readonly startSeconds: number;
    readonly endSeconds: number;
  }[];
}
