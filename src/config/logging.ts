import { pino } from 'pino';

/** Object first, then a constant message in lower case and past tense. Nothing per event above `debug`. */
export type Logger = {
  readonly error: LogMethod;
  readonly warn: LogMethod;
  readonly info: LogMethod;
  readonly debug: LogMethod;
};
type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** A last net under the rule that secrets are of class Secret: these names are blanked wherever they stand, two levels deep. */
const secretNames = ['password', 'secret', 'authorization', 'cookie', 'token', 'api_key', 'apiKey', 'hmacKey'];

/** JSON lines to standard error (standard output belongs to what a person asked for), written at once so that a crash loses none. */
export function createLogger(
  level: string,
  destination: { write: (line: string) => void } = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: { service: 'gait' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
    },
    destination,
  );
}
