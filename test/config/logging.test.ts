import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/config/logging.ts';
import { Secret } from '../../src/config/secret.ts';

function logged(
  level: string,
  write: (logger: ReturnType<typeof createLogger>) => void,
): readonly Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger(level, { write: (line) => lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a log line is one JSON object with its level by name, its fields and its message', () => {
  const [line] = logged('info', (logger) => logger.warn({ topic: 'gait.events', offset: 7 }, 'message dead-lettered'));
  assert.deepEqual(
    { ...line, time: '' },
    { level: 'warn', time: '', service: 'gait', topic: 'gait.events', offset: 7, msg: 'message dead-lettered' },
  );
});

test('secrets are blanked by type, and by name wherever they stand in the first three levels', () => {
  const lines = logged('info', (logger) => {
    logger.info(
      { key: new Secret('hidden-1'), password: 'hidden-2', headers: { authorization: 'hidden-3' } },
      'connected',
    );
    logger.info({ request: { headers: { cookie: 'hidden-4' } } }, 'refused');
  });
  assert.equal(/hidden/.test(JSON.stringify(lines)), false);
  assert.equal(lines.length, 2);
});

test('what is below the level is not written', () => {
  assert.deepEqual(
    logged('warn', (logger) => logger.info({}, 'started')),
    [],
  );
  assert.deepEqual(
    logged('silent', (logger) => logger.error({}, 'failed')),
    [],
  );
});
