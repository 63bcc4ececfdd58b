/** RFC 9113, 6. */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Bits of one byte; which mean something depends on the type. */
export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** RFC 9113, 6.5.2. */
export const settings = {
  enablePush: 2,
  streamsMax: 3,
  initialWindow: 4,
  frameBytesMax: 5,
  headerBytesMax: 6,
} as const;

/** RFC 9113, 7. */
export const errorCodes = {
  noError: 0,
  protocolError: 1,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

export type ErrorCode = (typeof errorCodes)[keyof typeof errorCodes];

/** What a peer did wrong: it ends one stream, or the connection. */
export class Http2Error extends Error {
  readonly code: ErrorCode;
  readonly scope: 'stream' | 'connection';

  constructor(code: ErrorCode, scope: 'stream' | 'connection') {
    super(`HTTP/2 error ${code}`);
    this.code = code;
    this.scope = scope;
  }
}

export type FrameHead = {
  readonly type: number;
  readonly flags: number;
  /** 0 for the connection. */
  readonly stream: number;
};

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
export const headBytes = 9;
/** That every peer takes, and more than that is not asked for here. */
export const frameBytesMax = 16_384;
export const windowMax = 2 ** 31 - 1;
export const usualWindow = 65_535;

/** In a text whose characters are its bytes, as is `payload`. */
export function frame(head: FrameHead, payload: string): string {
  const { length } = payload;
  return (
    String.fromCharCode(length >>> 16, (length >>> 8) & 255, length & 255, head.type, head.flags) +
    uint32(head.stream) +
    payload
  );
}

export function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** The payload of SETTINGS. */
export function settingsOf(values: Readonly<Partial<Record<keyof typeof settings, number>>>): string {
  return Object.entries(values)
    .map(([name, value]) => `\x00${String.fromCharCode(settings[name as keyof typeof settings])}${uint32(value)}`)
    .join('');
}

/** What is between the padding of DATA and HEADERS, and behind the priority of HEADERS, which is not heeded. Throws a Http2Error. */
export function withoutPadding(head: FrameHead, payload: Buffer): Buffer {
  let start = 0;
  let end = payload.length;
  if (head.flags & flags.padded) {
    start = 1;
    end -= payload[0] ?? 0;
  }
  if (head.type === frameTypes.headers && head.flags & flags.priority) {
    if (payload.length < start + 5) throw new Http2Error(errorCodes.frameSizeError, 'connection');
    start += 5;
  }
  if (start > end) throw new Http2Error(errorCodes.protocolError, 'connection');
  return payload.subarray(start, end);
}

/** Lengths that a payload must have, and whether its stream is that of the connection (0) or not. */
const rules: Readonly<Record<number, { readonly bytes?: number; readonly isOfConnection: boolean | null }>> = {
  [frameTypes.data]: { isOfConnection: false },
  [frameTypes.headers]: { isOfConnection: false },
  [frameTypes.priority]: { isOfConnection: false, bytes: 5 },
  [frameTypes.rstStream]: { isOfConnection: false, bytes: 4 },
  [frameTypes.settings]: { isOfConnection: true },
  [frameTypes.ping]: { isOfConnection: true, bytes: 8 },
  [frameTypes.goAway]: { isOfConnection: true },
  [frameTypes.windowUpdate]: { isOfConnection: null, bytes: 4 },
  [frameTypes.continuation]: { isOfConnection: false },
};

/** Throws a Http2Error for a frame that cannot be, whatever it says. */
export function checkFrame({ type, stream }: FrameHead, payloadBytes: number): void {
  if (type === frameTypes.pushPromise) throw new Http2Error(errorCodes.protocolError, 'connection');
  const rule = rules[type];
  if (rule === undefined) return;
  if (rule.isOfConnection !== null && rule.isOfConnection !== (stream === 0)) {
    throw new Http2Error(errorCodes.protocolError, 'connection');
  }
  if (rule.bytes === undefined || rule.bytes === payloadBytes) return;
  throw new Http2Error(errorCodes.frameSizeError, type === frameTypes.priority ? 'stream' : 'connection');
}
