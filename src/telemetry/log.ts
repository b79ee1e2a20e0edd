// Structured logs: a JSON line each, to stderr. Messages are constants of the code; what varies goes into fields, of
// which there is a closed list, so that no secret can be passed (log-fields.ts).

import { type DestinationStream, destination, type Level, pino, stdTimeFunctions } from 'pino';
import { type LogFields, siftFields } from './log-fields.ts';

export type LogLevel = Extract<Level, 'debug' | 'info' | 'warn' | 'error'>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** For what others log through us: fields that are not on the list are dropped. */
  write(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
  /** A log whose lines all carry these fields. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** What writes: `worker`, `cli`. */
  readonly name: string;
  /** Default stderr, written at once, so that a killed process has logged what it did. */
  readonly destination?: DestinationStream;
}

export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      timestamp: stdTimeFunctions.isoTime,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? destination({ dest: 2, sync: true }),
  );
  return logWith((level, fields, message) => logger[level](fields, message), {});
}

type WriteLine = (level: LogLevel, fields: Readonly<Record<string, unknown>>, message: string) => void;

function logWith(writeLine: WriteLine, common: Readonly<Record<string, unknown>>): Log {
  const write = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    writeLine(level, { ...common, ...siftFields(fields) }, message);
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    write,
    with: (fields) => logWith(writeLine, { ...common, ...siftFields(fields) }),
  };
}
