/** A server's socket in the filesystem: who may connect, and what a killed server left there. */
import * as fs from 'node:fs';
import { createConnection, type Server } from 'node:net';

/** Listens at `path`, which only gets `mode` if it can; Error with what to do. */
export async function listenAtPath(server: Server, path: string, mode: number): Promise<void> {
  try {
    await bind(server, path);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    await removeStale(path);
    await bind(server, path);
  }
  fs.chmodSync(path, mode);
}

/** Between bind(2) and chmod(2) nobody else may connect: it is made without any permission for others. */
function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once('error', failed);
    const before = process.umask(0o177);
    try {
      server.listen({ path }, () => {
        server.off('error', failed);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

/** Removes a socket that nobody listens at any more; Error if somebody does, or it is no socket. */
async function removeStale(path: string): Promise<void> {
  const before = fs.lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined) return;
  if (!before.isSocket()) throw new Error(`${path} is there already, and is no socket`);
  if (await answers(path)) throw new Error(`another server listens at ${path}`);
  const now = fs.lstatSync(path, { throwIfNoEntry: false });
  if (now?.ino === before.ino) fs.unlinkSync(path);
}

/** Whether somebody listens there. Only ECONNREFUSED is a no. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => {
      resolve(codeOf(error) !== 'ECONNREFUSED' && codeOf(error) !== 'ENOENT');
    });
  });
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
