import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GaitError } from '../core/errors.ts';

/** What a socket's path may be long everywhere (104 bytes with the final NUL on macOS, 108 on Linux). */
const socketPathBytesMax = 100;

/**
 * One process per folder. The lock is a listening socket and not a file with a process id: the system lets go of it however the
 * process ends, and process 1 of a restarted container is not mistaken for the one that died.
 */
export async function lockFolder(path: string): Promise<{ readonly release: () => Promise<void> }> {
  const address = socketAddress(resolve(path));
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw refused(path, 'cannot be locked', error);
    if (await answers(address)) throw refused(path, 'is in use by another gait process; stop that one first', error);
    rmSync(address, { force: true });
    await listen(server, address);
  }
  server.unref();
  return { release: () => new Promise((done) => server.close(() => done())) };
}

function socketAddress(path: string): string {
  const id = createHash('sha256').update(path).digest('hex').slice(0, 32);
  if (process.platform === 'win32') return `\\\\.\\pipe\\gait-${id}`;
  const inside = join(path, 'lock.sock');
  return Buffer.byteLength(inside) <= socketPathBytesMax ? inside : join(tmpdir(), `gait-${id}.sock`);
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(address, () => {
      server.off('error', fail);
      done();
    });
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(address, () => done(true));
    socket.on('error', () => done(false));
    socket.on('connect', () => socket.destroy());
  });
}

function refused(path: string, why: string, cause: unknown): GaitError {
  return new GaitError('LOG_REJECTED', `the log's folder ${path} ${why}`, { cause });
}
