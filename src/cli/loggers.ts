import { pino } from 'pino';
import type { Logger } from '../core/log.ts';
import type { Terminal } from './terminal.ts';

/** Warnings and errors as lines for a person. */
export function terminalLogger({ stderr }: Terminal): Logger {
  const line = (level: string) => (message: string) => {
    stderr.write(`${level}: ${message}\n`);
  };
  return { debug: () => {}, info: () => {}, warn: line('warning'), error: line('error') };
}

/** One JSON object a line on stderr, for a daemon whose log is collected. */
export function jsonLogger(level: string): Logger {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  const write =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      logger[method](fields, message);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
