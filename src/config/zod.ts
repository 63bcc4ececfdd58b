import { z } from 'zod';

z.config({
  customError: ({ code, input }) => (code === 'invalid_type' && input === undefined ? 'is missing' : undefined),
});

/** The one door to zod: a file that checks what comes from outside imports `z` from here. */
export { z };

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Text such as `250ms`, `30s`, `15m`, `6h` or `7d`, read as milliseconds. */
export const duration = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'expected a duration such as 250ms, 30s, 15m, 6h or 7d')
  .transform((text) => Number.parseInt(text, 10) * units[text.replace(/^\d+/, '') as keyof typeof units]);

/** Of a decision, whoever makes it: its end must be a time that every receiver can hold. */
export const timeToLive = duration.refine(
  (ms) => ms > 0 && ms <= 366 * units.d,
  'expected more than nothing and at most 366d',
);
