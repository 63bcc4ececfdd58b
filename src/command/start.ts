import { findingLine } from '../alert/terminal.ts';
import { loadConfig } from '../config/config.ts';
import { type Service, startService } from '../service.ts';

/** `gait start`: the service, until it is told to stop. */
export async function start({ config: path }: { readonly config?: string | undefined }): Promise<void> {
  const config = loadConfig(path);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (config.sample) {
    say(
      'Nothing is configured, so Gait plays its bundled sample: AWS API calls recorded on 2023-07-10, with real attack tools at work.',
    );
    say('Findings appear below as they are made:');
  }
  let service: Service | undefined;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    say('Stopping: what is under way is finished and saved.');
    // Still waiting for Kafka, perhaps: nothing is under way that a start would not do again.
    if (service === undefined) process.exit();
    void service.close();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const started = await startService({
    config,
    onFinding: (finding) => say(findingLine(finding)),
    onSamplePlayed: (records) => say(afterSample(records, service?.address)),
  });
  service = started;
  if (started.address !== undefined) say(`Dashboard: ${started.address}/`);
  try {
    await started.done;
  } catch (error) {
    await started.close();
    throw error;
  }
  // After an outage of Kafka its client may hold a socket that nobody can close any more; all is saved, so it keeps nobody waiting.
  setTimeout(() => process.exit(), 500).unref();
}

function afterSample(records: number, address: string | undefined): string {
  const played =
    records > 0
      ? 'The sample has been played.'
      : 'The sample has been played before: what it found is kept, not told again.';
  return [
    `${played} Gait keeps running; stop it with Ctrl-C.`,
    ...(address === undefined ? [] : [`  Look at the findings:     ${address}/`]),
    ...(address === undefined
      ? []
      : [
          `  Send events of your own:  curl -H 'content-type: application/x-ndjson' --data-binary @events.ndjson ${address}/v1/events`,
        ]),
    '  Read your own Kafka:      GAIT_KAFKA_BROKERS=localhost:9092 npm start   (topic api-traffic)',
  ].join('\n');
}
