import { openKafkaLog } from '../../src/log/kafka.ts';
import { kafkaSkipReason, startTestBroker, type TestBroker } from '../integration/kafka-broker.ts';
import { describeLogContract } from './log.contract.ts';

let broker: TestBroker;
const openAs = async (clientId: string) =>
  openKafkaLog({ brokers: [broker.address], clientId, sessionTimeoutMs: 3000 });
const open = () => openAs('gait-test-b');

describeLogContract('kafka log', {
  start: async () => {
    broker = await startTestBroker();
  },
  stop: () => broker.remove(),
  open,
  // Members are served in the order of their ids, which begin with the client's.
  beside: () => openAs('gait-test-a'),
  partitions: 4,
  skip: await kafkaSkipReason(),
});
