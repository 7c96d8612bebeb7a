import type { Logger } from '../../core/log.ts';
import { type NotifySocket, openNotifySocket } from './notify-socket.ts';

/** Tells a service manager (systemd, or whatever speaks sd_notify(3)) how the daemon is. Without one, nothing happens. */
export interface Supervisor {
  /** It serves: after its start, and after a reload whether that succeeded or not. */
  ready(status: string): void;
  /** It reads its configuration anew; `ready` ends that. */
  reloading(): void;
  stopping(status: string): void;
  /** One line for people, as `systemctl status` shows it. */
  status(text: string): void;
  /**
   * Sends a sign of life twice in the time that the manager waits for one, as long as `isAlive` says so. That it is sent
   * at all shows that the event loop goes on.
   */
  keepAlive(isAlive: () => boolean): void;
  close(): void;
}

export interface SupervisorDeps {
  readonly logger: Logger;
  readonly pid: number;
  /** CLOCK_MONOTONIC. */
  readonly nowNs: () => bigint;
  readonly open?: typeof openNotifySocket;
}

const NOBODY: Supervisor = {
  ready: () => {},
  reloading: () => {},
  stopping: () => {},
  status: () => {},
  keepAlive: () => {},
  close: () => {},
};

/**
 * @param env `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are taken out of it: they are for this process and not for those
 * that it starts
 */
export function openSupervisor(
  env: NodeJS.ProcessEnv,
  { logger, pid, nowNs, open = openNotifySocket }: SupervisorDeps,
): Supervisor {
  const { NOTIFY_SOCKET: address, WATCHDOG_USEC: patience, WATCHDOG_PID: watched } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (address === undefined || address === '') return NOBODY;
  const opened = open(address);
  if (!opened.ok) {
    logger.warn(opened.error.message, { hint: opened.error.hint });
    return NOBODY;
  }
  const socket = opened.value;
  const intervalMs = watchdogIntervalMs(patience, watched, pid);
  let timer: NodeJS.Timeout | undefined;
  let shown = '';
  const tell = teller(socket, logger);
  return {
    ready: (status) => {
      shown = status;
      tell(['READY=1', statusLine(status)]);
    },
    reloading: () => tell(['RELOADING=1', `MONOTONIC_USEC=${nowNs() / 1000n}`]),
    stopping: (status) => {
      shown = status;
      tell(['STOPPING=1', statusLine(status)]);
    },
    status: (text) => {
      if (text === shown) return;
      shown = text;
      tell([statusLine(text)]);
    },
    keepAlive: (isAlive) => {
      if (intervalMs === undefined) return;
      let wasAlive = true;
      const beat = () => {
        const lives = isAlive();
        if (lives) tell(['WATCHDOG=1']);
        else if (wasAlive) logger.error('the queue does not go on: the watchdog is not told any more');
        wasAlive = lives;
      };
      beat();
      timer = setInterval(beat, intervalMs);
      timer.unref();
    },
    close: () => {
      clearInterval(timer);
      socket.close();
    },
  };
}

/** A message that is lost is told once: whoever does not read now may do so later. */
function teller(socket: NotifySocket, logger: Logger): (lines: readonly string[]) => void {
  let isHeard = true;
  return (lines) => {
    const sent = socket.send(lines.join('\n'));
    if (!sent && isHeard) logger.warn('the service manager does not hear', { message: lines[0] });
    isHeard = sent;
  };
}

/** A line feed would begin another assignment. */
function statusLine(text: string): string {
  return `STATUS=${text.replaceAll(/\s+/g, ' ')}`;
}

/** Half of the patience of the manager, as sd_watchdog_enabled(3) advises. Undefined where it does not watch this process. */
function watchdogIntervalMs(
  patience: string | undefined,
  watched: string | undefined,
  pid: number,
): number | undefined {
  if (patience === undefined || !/^[1-9][0-9]*$/.test(patience)) return undefined;
  if (watched !== undefined && watched !== String(pid)) return undefined;
  return Math.max(1, Math.floor(Number(patience) / 2000));
}
