import { pino } from 'pino';
import type { LogLevel } from '../config/service-settings.ts';
import type { Logger } from '../core/log.ts';
import { onOneLine, redactSecrets } from '../core/redact.ts';
import type { Terminal } from './terminal.ts';

/** Warnings and errors as lines for a person. */
export function terminalLogger({ stderr }: Terminal): Logger {
  const line = (level: string) => (message: string) => {
    stderr.write(`${level}: ${onOneLine(message)}\n`);
  };
  return { debug: () => {}, info: () => {}, warn: line('warning'), error: line('error') };
}

export interface JsonLogger extends Logger {
  /** Logs from now on what has this level or a higher one. */
  setLevel(level: LogLevel): void;
  /** Never writes this text, wherever it comes from. */
  hide(secret: string): void;
}

/** Where lines go; stderr unless given. */
interface LineSink {
  write(line: string): void;
}

/**
 * One JSON object a line, for a daemon whose log is collected. Nothing that is logged can begin a line of its own, steer the
 * terminal of whoever reads it, or show a credential.
 */
export function jsonLogger(level: LogLevel, sink: LineSink = pino.destination(2)): JsonLogger {
  const secrets = new Set<string>();
  const safely: LineSink = {
    write: (line) => void sink.write(`${escapeControls(redactSecrets(line.slice(0, -1), secrets))}\n`),
  };
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, safely);
  const write =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      logger[method](fields, message);
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    setLevel: (next) => {
      logger.level = next;
    },
    hide: (secret) => void secrets.add(secret),
  };
}

/** JSON escapes the controls of ASCII; those of Latin-1 and Unicode's line separators it leaves as they are. */
function escapeControls(line: string): string {
  return line.replaceAll(
    /[\p{Cc}\u2028\u2029]/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
