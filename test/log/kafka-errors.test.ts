import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GaitError } from '../../src/core/errors.ts';
import { isOutOfSequence, kafkaError } from '../../src/log/kafka-errors.ts';

const wrapped = (link: object): Error => new Error('outer', { cause: Object.assign(new Error('inner'), link) });

test("what Kafka says, however deeply wrapped, becomes one of the log's codes with its cause", () => {
  const codes = [
    [{ type: 'INVALID_PRODUCER_EPOCH' }, 'LOG_FENCED'],
    [{ code: 90 }, 'LOG_FENCED'],
    [{ type: 'TOPIC_AUTHORIZATION_FAILED' }, 'LOG_REJECTED'],
    [{ name: 'KafkaJSSASLAuthenticationError' }, 'LOG_REJECTED'],
    [{ type: 'MESSAGE_TOO_LARGE' }, 'LOG_REJECTED'],
    [{ code: 'ECONNREFUSED' }, 'LOG_UNAVAILABLE'],
    [{ type: 'NOT_LEADER_FOR_PARTITION' }, 'LOG_UNAVAILABLE'],
  ] as const;
  for (const [link, code] of codes) {
    const error = wrapped(link);
    const mapped = kafkaError(error, 'testing');
    assert.equal(mapped.code, code, JSON.stringify(link));
    assert.equal(mapped.cause, error);
  }
});

test('a topic that is not there is called so', () => {
  const { code, message } = kafkaError(wrapped({ type: 'UNKNOWN_TOPIC_OR_PARTITION' }), 'reading api-traffic');
  assert.equal(`${code} ${message}`, 'LOG_UNAVAILABLE reading api-traffic: Kafka has no such topic (yet)');
});

test('an error of ours stays as it is', () => {
  const error = new GaitError('STATE_INVALID', 'x');
  assert.equal(kafkaError(error, 'testing'), error);
});

test('a chain of causes that bites its tail ends', () => {
  const error = new Error('a');
  error.cause = error;
  assert.equal(kafkaError(error, 'testing').code, 'LOG_UNAVAILABLE');
  assert.equal(isOutOfSequence(error), false);
});
