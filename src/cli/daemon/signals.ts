/** What whoever runs the daemon asks of it by signals. */
export interface DaemonSignals {
  /** Fires at the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly stop: AbortSignal;
  /** Calls `listener` at every SIGHUP from now on, and at once where one has come already. */
  onHangup(listener: () => void): void;
}

/** Exit code of a process that a second signal ended before it was done. */
const ENDED_BY_SIGNAL = 130;

/** Listens from now on: without, a SIGHUP while the daemon starts would end it. */
export function daemonSignals(): DaemonSignals {
  const stop = new AbortController();
  let hasCome = false;
  let hangup = (): void => {
    hasCome = true;
  };
  const onStop = () => {
    if (stop.signal.aborted) process.exit(ENDED_BY_SIGNAL);
    stop.abort();
  };
  process.on('SIGINT', onStop);
  process.on('SIGTERM', onStop);
  process.on('SIGHUP', () => hangup());
  return {
    stop: stop.signal,
    onHangup: (listener) => {
      hangup = listener;
      if (hasCome) listener();
    },
  };
}
