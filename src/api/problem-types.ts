interface ProblemTypeOf {
  /** Of the answer. */
  readonly status: number;
  /** What it means, in a sentence or two for whoever meets it. */
  readonly meaning: string;
  readonly whatToDo: string;
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
    whatToDo: 'Send what GET /openapi.json describes for the operation.',
  },
  'malformed-request': {
    status: 400,
    meaning: 'What came is no request of HTTP/1.1; the connection is closed.',
    whatToDo: 'Use a client that speaks HTTP/1.1.',
  },
  unauthorized: {
    status: 401,
    meaning: 'The operation needs a credential, and the request has none or a wrong one.',
    whatToDo:
      'Send "authorization: Bearer TOKEN" with the token from the file that the daemon names in its log, or name and password of a user of the web configuration.',
  },
  'foreign-certificate': {
    status: 403,
    meaning:
      'The daemon asks clients for a certificate, and this one is missing, not trusted, or of a name that is not allowed.',
    whatToDo: 'Ask with a certificate of the authority that the web configuration names.',
  },
  'foreign-host': {
    status: 403,
    meaning:
      'The Host header is not the address of this daemon. A web page can make a browser ask any address under a name of its own.',
    whatToDo:
      'Use the address that the daemon listens on, or localhost; have a proxy before it set the header so.',
  },
  'foreign-origin': {
    status: 403,
    meaning: 'A web page of another origin made a browser ask; only the page of the daemon itself may.',
    whatToDo: 'Use the page that the daemon itself serves.',
  },
  'not-found': {
    status: 404,
    meaning: 'There is nothing under this path.',
    whatToDo: 'GET / and GET /openapi.json list what there is.',
  },
  'unknown-run': {
    status: 404,
    meaning: 'There is no run of this id, or it does not have what was asked for, such as a trace.',
    whatToDo: 'GET /bench lists the runs.',
  },
  'no-such-model': {
    status: 404,
    meaning: 'The path names a model that is not registered.',
    whatToDo: 'GET /models lists the models.',
  },
  'unknown-artifact': {
    status: 404,
    meaning: 'The variant has no file: it was not made yet, or its file is gone.',
    whatToDo: 'GET /models/{model} shows which variants have a file.',
  },
  'not-explained': {
    status: 404,
    meaning: 'No run told what the nodes of this variant cost, or its folder is gone.',
    whatToDo: "Order it with POST /explain, or write 'explain: true' into the profile.",
  },
  'unknown-problem': {
    status: 404,
    meaning: 'There is no type of problem of this name.',
    whatToDo: 'GET /problems lists the types of problems.',
  },
  'method-not-allowed': {
    status: 405,
    meaning: 'The path is there and does not take this method; the header Allow names those that it takes.',
    whatToDo: 'Use one of the methods in the header Allow.',
  },
  'request-timeout': {
    status: 408,
    meaning: 'The request did not come to its end in time; the connection is closed.',
    whatToDo: 'Send all of a request at once.',
  },
  'config-refused': {
    status: 409,
    meaning:
      'The configuration on the disk cannot be used, so that everything stays as it was; "errors" says what is wrong where.',
    whatToDo: 'Correct the files, and ask again.',
  },
  'nothing-to-acknowledge': {
    status: 409,
    meaning: 'Nothing that was chosen of the model has regressed, so that there is nothing to be known of.',
    whatToDo: 'GET /models/{name}/watch has the states; choose less, or nothing at all.',
  },
  'nothing-to-pin': {
    status: 409,
    meaning: 'Nothing that was chosen of the model has a run that could be its baseline.',
    whatToDo: 'GET /models/{name}/watch has what is watched; a run has to end well first.',
  },
  'run-not-ended': {
    status: 409,
    meaning: 'The run waits or is under way, and what was asked needs one that is over.',
    whatToDo: 'Follow GET /bench/{id}/events until it ends, or cancel it.',
  },
  'run-ended': {
    status: 409,
    meaning: 'The run is over, so that it cannot be cancelled any more.',
    whatToDo: 'GET the run for how it ended.',
  },
  'body-too-large': {
    status: 413,
    meaning: 'The body is larger than any request needs.',
    whatToDo: 'Send less.',
  },
  'unsupported-media-type': {
    status: 415,
    meaning: 'The body is not JSON, or not said to be.',
    whatToDo: 'Send JSON, with the header content-type: application/json.',
  },
  'expectation-failed': {
    status: 417,
    meaning:
      'The header Expect asks for something other than 100-continue, which no part of the daemon can do.',
    whatToDo: 'Leave the header Expect out.',
  },
  'key-used-otherwise': {
    status: 422,
    meaning: 'Something else was ordered under this Idempotency-Key in the last 24 hours.',
    whatToDo: 'Give every order a key of its own, and send it again unchanged.',
  },
  'unknown-model': {
    status: 422,
    meaning: 'The body names a model that is not registered.',
    whatToDo: 'GET /models lists the models.',
  },
  'explain-not-possible': {
    status: 422,
    meaning: 'The model has no variant with quantized nodes, or it carries states.',
    whatToDo: 'See the message: which of both it is.',
  },
  'unknown-variant': {
    status: 422,
    meaning: 'The model has no variant of this name.',
    whatToDo: 'GET /models/{model} lists the variants.',
  },
  'unknown-suite': {
    status: 422,
    meaning: 'The profile of the model has no suite of this name.',
    whatToDo: 'The hint of the answer lists the suites.',
  },
  'nothing-to-compare': {
    status: 422,
    meaning: 'The runs have no measurement of a variant in common.',
    whatToDo: 'Order both with the same suite or scenario, or name the variants.',
  },
  'unknown-column': {
    status: 422,
    meaning: 'The timeline has no column of this name.',
    whatToDo: 'Ask without "columns" for the names of all.',
  },
  'too-many-columns': {
    status: 422,
    meaning: 'More columns were asked for than one answer holds.',
    whatToDo: 'Name the columns that are wanted in "columns".',
  },
  'queue-full': {
    status: 429,
    meaning: 'As many runs wait as the queue holds; Retry-After says when to try again.',
    whatToDo: 'Try again after the seconds in Retry-After, or cancel what is not needed any more.',
  },
  'too-many-readers': {
    status: 429,
    meaning: 'As many timelines are being read as may be at a time.',
    whatToDo: 'Try again after the seconds in Retry-After.',
  },
  'too-many-listeners': {
    status: 429,
    meaning: 'As many listen as may at a time.',
    whatToDo: 'Try again later, or ask now and then instead of listening.',
  },
  'too-many-logins': {
    status: 429,
    meaning: 'As many passwords are being verified as may be at a time.',
    whatToDo: 'Try again in a moment; the token needs no such work.',
  },
  'rate-limited': {
    status: 429,
    meaning: 'Requests come more often than the web configuration allows.',
    whatToDo: 'Try again after the seconds in Retry-After.',
  },
  'headers-too-large': {
    status: 431,
    meaning: 'The headers are larger than the daemon reads; the connection is closed.',
    whatToDo: 'Send fewer or shorter headers.',
  },
  'internal-fault': {
    status: 500,
    meaning: 'A fault in the daemon itself; its log has the details.',
    whatToDo: 'Report it, with the lines of the log.',
  },
  'daemon-stopping': {
    status: 503,
    meaning: 'The daemon is about to end and takes no orders any more.',
    whatToDo: 'Send the order again, under the same Idempotency-Key, after the seconds in Retry-After.',
  },
  'disk-quota-exceeded': {
    status: 507,
    meaning:
      'The data directory takes more than it may, and what is left of it is in use; "detail" has the figures. Runs that wait go on when there is room.',
    whatToDo: 'Remove runs that are over, raise storage.maxBytes in the settings, or try again later.',
  },
  'disk-space-low': {
    status: 507,
    meaning:
      'Less is free on the disk of the data directory than is to stay free; "detail" has the figures. Runs that wait go on when there is room.',
    whatToDo: 'Make room on the disk, or lower storage.minFreeBytes in the settings.',
  },
  'store-not-written': {
    status: 507,
    meaning:
      'The data directory does not take what is written: its disk is full, fails or is mounted read-only.',
    whatToDo: 'Make room on the disk, or see why it cannot be written; docs/operations.md has more.',
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
