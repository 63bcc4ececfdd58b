import { parseConfig } from '../../src/config/config.ts';
import { kafkaOptions } from '../../src/config/connections.ts';
import { systemClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { openKafkaLog } from '../../src/log/kafka.ts';
import { alertTopics, runAlerts } from '../../src/role/alerts.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';

/** The alerts of a `gait start`, as a process that a test can kill. Arguments: a folder for the log, the configuration as JSON. */
const [path = '', text = ''] = process.argv.slice(2);
const parsed = parseConfig({ name: 'test', text: () => text }, {});
if (parsed.kind !== 'ok') throw new Error(parsed.problems.join('\n'));
const { config } = parsed;
const kafka = kafkaOptions(config);
const log = kafka === undefined ? await openEmbeddedLog({ path }) : openKafkaLog({ ...kafka, sessionTimeoutMs: 1500 });
const { topics } = config;
const plain = [topics.findings, topics.signals, topics.alertReceipts].map(
  (name) => ({ name, partitions: 1, cleanup: 'delete' }) as const,
);
await log.ensureTopics([...plain, ...alertTopics(config)]);
await runAlerts({
  log,
  config,
  clock: systemClock,
  random: seededRandom(1),
  post: createHttpPost({ clock: systemClock, timeoutMs: 2000 }),
  signal: new AbortController().signal,
  delivered: () => {},
  onTrouble: () => {},
});
process.on('message', ({ topic, record }: { readonly topic: 'findings' | 'signals'; readonly record: object }) => {
  void log.append(topics[topic], [{ value: JSON.stringify(record) }]).then(() => process.send?.('appended'));
});
process.send?.('ready');
