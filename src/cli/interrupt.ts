/** A signal that fires at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function abortOnInterrupt(): AbortSignal {
  const abort = new AbortController();
  const onSignal = () => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return abort.signal;
}
