import { z } from '../config/zod.ts';

const event = z.string().min(1).max(512);
const pushMethod = 'urn:ietf:rfc:8935';
export const pollMethod = 'urn:ietf:rfc:8936';
export const deliveryMethods = [pushMethod, pollMethod];

const delivery = z.discriminatedUnion('method', [
  z.object({
    method: z.literal(pushMethod),
    endpoint_url: z.url({ protocol: /^https?$/ }).max(2048),
    /** One line: it becomes a header. */
    authorization_header: z
      .string()
      .max(4096)
      .regex(/^[\x20-\x7e]+$/)
      .optional(),
  }),
  z.object({ method: z.literal(pollMethod) }),
]);

const changeable = z.object({
  events_requested: z.array(event).max(100).optional(),
  delivery: delivery.optional(),
  description: z.string().max(1024).optional(),
});
const streamId = z.string().min(1).max(128);
const verdict = z.object({ err: z.string().max(100), description: z.string().max(1024).optional() });

/**
 * Bodies of the management of streams (SSF 1.0, 8.1) and of polling (RFC 8936). Members that we do not know are ignored, as the
 * specification asks; those that belong to the transmitter are not taken over.
 */
export const requests = {
  create: changeable,
  update: changeable.extend({ stream_id: streamId }),
  status: z.object({
    stream_id: streamId,
    status: z.enum(['enabled', 'paused', 'disabled']),
    reason: z.string().max(1024).optional(),
  }),
  subject: z.object({
    stream_id: streamId,
    subject: z
      .record(z.string().max(100), z.unknown())
      .refine((subject) => typeof subject.format === 'string' && JSON.stringify(subject).length <= 4096),
  }),
  verify: z.object({ stream_id: streamId, state: z.string().max(1024).optional() }),
  poll: z.object({
    maxEvents: z.int().min(0).optional(),
    returnImmediately: z.boolean().default(false),
    ack: z.array(z.string().max(256)).max(10_000).default([]),
    setErrs: z.record(z.string().max(256), verdict).default({}),
  }),
};

export type DeliveryRequest = z.output<typeof delivery>;
