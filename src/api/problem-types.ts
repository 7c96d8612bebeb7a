interface ProblemTypeOf {
  /** Of the answer. */
  readonly status: number;
  /** What it means, in a sentence or two for whoever meets it. */
  readonly meaning: string;
}

/**
 * Every type of problem that the HTTP API answers with, under its stable name: `type` of an answer is `/problems/<name>`, and that
 * page says what stands here. A name that has shipped keeps its meaning and its status.
 */
export const PROBLEM_TYPES = {
  'invalid-request': {
    status: 400,
    meaning:
      'The request is not of the form that this operation takes; "errors" points to each field that is wrong.',
  },
  unauthorized: {
    status: 401,
    meaning: 'The operation needs a credential, and the request has none or a wrong one.',
  },
  'foreign-certificate': {
    status: 403,
    meaning:
      'The daemon asks clients for a certificate, and this one is missing, not trusted, or of a name that is not allowed.',
  },
  'foreign-host': {
    status: 403,
    meaning:
      'The Host header is not the address of this daemon. A web page can make a browser ask any address under a name of its own.',
  },
  'foreign-origin': {
    status: 403,
    meaning: 'A web page of another origin made a browser ask; only the page of the daemon itself may.',
  },
  'not-found': { status: 404, meaning: 'There is nothing under this path.' },
  'unknown-run': {
    status: 404,
    meaning: 'There is no run of this id, or it does not have what was asked for, such as a trace.',
  },
  'no-such-model': { status: 404, meaning: 'The path names a model that is not registered.' },
  'unknown-artifact': {
    status: 404,
    meaning: 'The variant has no file: it was not made yet, or its file is gone.',
  },
  'unknown-problem': { status: 404, meaning: 'There is no type of problem of this name.' },
  'method-not-allowed': {
    status: 405,
    meaning: 'The path is there and does not take this method; the header Allow names those that it takes.',
  },
  'run-ended': { status: 409, meaning: 'The run is over, so that it cannot be cancelled any more.' },
  'body-too-large': { status: 413, meaning: 'The body is larger than any request needs.' },
  'unsupported-media-type': { status: 415, meaning: 'The body is not JSON, or not said to be.' },
  'key-used-otherwise': {
    status: 422,
    meaning: 'Something else was ordered under this Idempotency-Key in the last 24 hours.',
  },
  'unknown-model': { status: 422, meaning: 'The body names a model that is not registered.' },
  'unknown-variant': { status: 422, meaning: 'The model has no variant of this name.' },
  'unknown-suite': { status: 422, meaning: 'The profile of the model has no suite of this name.' },
  'unknown-column': { status: 422, meaning: 'The timeline has no column of this name.' },
  'too-many-columns': { status: 422, meaning: 'More columns were asked for than one answer holds.' },
  'queue-full': {
    status: 429,
    meaning: 'As many runs wait as the queue holds; Retry-After says when to try again.',
  },
  'too-many-readers': { status: 429, meaning: 'As many timelines are being read as may be at a time.' },
  'too-many-listeners': { status: 429, meaning: 'As many listen as may at a time.' },
  'too-many-logins': { status: 429, meaning: 'As many passwords are being verified as may be at a time.' },
  'rate-limited': { status: 429, meaning: 'Requests come more often than the web configuration allows.' },
  'internal-fault': { status: 500, meaning: 'A fault in the daemon itself; its log has the details.' },
  'store-not-written': {
    status: 507,
    meaning:
      'The data directory does not take what is written: its disk is full, fails or is mounted read-only.',
  },
} as const satisfies Readonly<Record<string, ProblemTypeOf>>;

export type ProblemType = keyof typeof PROBLEM_TYPES;

export function isProblemType(kind: string): kind is ProblemType {
  return Object.hasOwn(PROBLEM_TYPES, kind);
}

/** `queue-full` → `Queue full`. */
export function problemTitle(kind: ProblemType): string {
  return kind[0]?.toUpperCase() + kind.slice(1).replaceAll('-', ' ');
}

export function problemPath(kind: ProblemType): string {
  return `/problems/${kind}`;
}
