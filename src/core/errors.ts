/** What can fail outside our own logic. The code is stable (logs, metrics, tests); the text is for a person. */
const table = {
  CONFIG_INVALID: { retriable: false, exitCode: 2 },
  USAGE: { retriable: false, exitCode: 2 },
  INPUT_UNREADABLE: { retriable: false, exitCode: 1 },
  MODEL_INVALID: { retriable: false, exitCode: 1 },
  STATE_INVALID: { retriable: false, exitCode: 1 },
  LOG_UNAVAILABLE: { retriable: true, exitCode: 1 },
  LOG_REJECTED: { retriable: false, exitCode: 1 },
  LOG_FENCED: { retriable: false, exitCode: 1 },
  STORE_UNAVAILABLE: { retriable: true, exitCode: 1 },
  STORE_REJECTED: { retriable: false, exitCode: 1 },
  MIGRATION_FAILED: { retriable: false, exitCode: 1 },
  API_UNAVAILABLE: { retriable: true, exitCode: 1 },
  API_REFUSED: { retriable: false, exitCode: 1 },
  DELIVERY_FAILED: { retriable: true, exitCode: 1 },
  DELIVERY_REJECTED: { retriable: false, exitCode: 1 },
} as const;

export type ErrorCode = keyof typeof table;

export class GaitError extends Error {
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'GaitError';
    this.code = code;
    this.retriable = table[code].retriable;
    this.exitCode = table[code].exitCode;
  }
}

/** The text of anything that was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
