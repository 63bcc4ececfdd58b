import type { SsfOperation } from '../core/words.ts';
import { setOperations, subjectOperations } from './set-operations.ts';
import { createDesk, Refusal, type SsfAnswer, type SsfCall, type TransmitterOptions } from './ssf-desk.ts';
import { streamOperations } from './stream-operations.ts';

export type SsfOperations = Readonly<Record<SsfOperation, (call: SsfCall) => Promise<SsfAnswer>>>;

/**
 * The transmitter of SSF 1.0 as its receivers see it: one stream each (a second is answered 409), of which they see their own alone;
 * a stream of somebody else is answered as one that does not exist. What is answered is durable, and known to this process.
 */
export function createTransmitter(options: TransmitterOptions): SsfOperations {
  const desk = createDesk(options);
  const operations: SsfOperations = { ...streamOperations(desk), ...subjectOperations(desk), ...setOperations(desk) };
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [name, (call: SsfCall) => answered(operation, call)]),
  ) as SsfOperations;
}

async function answered(operation: (call: SsfCall) => Promise<SsfAnswer>, call: SsfCall): Promise<SsfAnswer> {
  try {
    return await operation(call);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
