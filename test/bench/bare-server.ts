import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What any server on this machine takes at the least: Node's own, in a process of its own, with an answer of one header. */
const program = `require('node:http').createServer((request, response) => {
  response.setHeader('x-gait-verdict', 'allow');
  response.end();
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); })`;

export async function startBareServer(): Promise<{ readonly address: string; readonly stop: () => void }> {
  const child = spawn(process.execPath, ['--max-semi-space-size=64', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { address: `http://127.0.0.1:${Number(port.toString('latin1'))}`, stop: () => child.kill() };
}
