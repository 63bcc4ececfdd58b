import { openKafkaLog } from '../../src/log/kafka.ts';
import { kafkaSkipReason, startTestBroker, type TestBroker } from '../integration/kafka-broker.ts';
import { describeLogContract } from './log.contract.ts';

let broker: TestBroker;
const open = async () => openKafkaLog({ brokers: [broker.address], clientId: 'gait-test', sessionTimeoutMs: 3000 });

describeLogContract('kafka log', {
  start: async () => {
    broker = await startTestBroker();
  },
  stop: () => broker.remove(),
  open,
  beside: open,
  partitions: 4,
  skip: await kafkaSkipReason(),
});
