/**
 * The version of the HTTP API, apart from that of the program: what was added raises its second number, what no longer is as it was
 * raises the first, and such an API is served below a path of its own beside this one.
 */
export const API_VERSION = '1.0.0';

/** In every answer. */
export const VERSION_HEADER = 'ptq-api-version';
