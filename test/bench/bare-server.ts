import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { nodeFlags } from './gait-process.ts';

/** What any server on this machine takes at the least: Node's own, in a process of its own, with an answer of one header or of 300 bytes. */
const programs = {
  http: `const server = require('node:http').createServer((request, response) => {
    response.setHeader('x-gait-verdict', 'allow');
    response.end();
  })`,
  http2: `const message = Buffer.alloc(305);
  message.writeUInt32BE(300, 1);
  const server = require('node:http2').createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined).on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.end(message);
    });
    stream.resume();
  })`,
} as const;

const rest = `
  process.on('message', () => process.send(process.cpuUsage()));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));`;

export type BareServer = {
  readonly port: number;
  readonly cpuSeconds: () => Promise<number>;
  readonly stop: () => void;
};

export async function startBareServer(kind: keyof typeof programs): Promise<BareServer> {
  const child = spawn(process.execPath, [...nodeFlags, '-e', programs[kind] + rest], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [port] = (await once(child, 'message')) as [number];
  const cpuSeconds = async (): Promise<number> => {
    child.send('cpu');
    const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage];
    return (user + system) / 1e6;
  };
  return { port, cpuSeconds, stop: () => child.kill() };
}
