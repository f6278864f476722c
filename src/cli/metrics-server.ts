/**
 * Statistics for monitoring, over HTTP: `GET /metrics`, and nothing else. It listens only
 * where `-o metrics=` says. A unix socket is its owner's alone (0600); a port of the
 * loopback address is open to every user of the machine, to whom numbers and the names of
 * feeds, of operations and of events are told, and no name of a file.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Stats } from '../rpc/messages.js';
import { CliError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';
import { METRICS_CONNECTIONS_MAX, METRICS_TIMEOUT_MS } from './limits.js';
import type { MetricsAddress } from './metrics-address.js';
import { PROMETHEUS_TYPE, renderPrometheus } from './prometheus.js';

/** Answers before it returns, or later. */
export type ReadStats = (done: (stats: Stats | undefined) => void) => void;

export interface MetricsServer {
  close(): void;
}

/** Throws CliError FAILURE if nothing can listen there. */
export async function serveMetrics(
  address: MetricsAddress,
  stats: ReadStats,
): Promise<MetricsServer> {
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  const server = createServer((request, response) => answer(request, response, stats));
  server.maxConnections = METRICS_CONNECTIONS_MAX;
  server.requestTimeout = METRICS_TIMEOUT_MS;
  server.headersTimeout = METRICS_TIMEOUT_MS;
  await listen(server, address);
  // A monitoring system that keeps its connection must not keep the daemon.
  server.unref();
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, address: MetricsAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const where = address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
      const message = `-o metrics: cannot listen on ${where}: ${error.message}`;
      reject(new CliError(ExitCode.FAILURE, message, { cause: error }));
    });
    if (address.kind === 'tcp') {
      server.listen(address.port, address.host, resolve);
      return;
    }
    // The socket is made inside the call: at no moment may another user connect.
    const umask = process.umask(0o177);
    server.listen(address.path, resolve);
    process.umask(umask);
  });
}

/** What a daemon that was killed left behind; a socket that somebody has, or anything else, stays and is in the way. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() === true && (await isForsaken(path))) unlinkSync(path);
}

/**
 * Only a refused connection tells that no process has the socket: it may be one of another
 * type (EPROTOTYPE), have more to do than it can (EAGAIN), or not be ours to know (EACCES).
 */
function isForsaken(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (forsaken: boolean): void => {
      socket.destroy();
      resolve(forsaken);
    };
    socket.once('connect', () => settle(false));
    socket.once('error', (error) => settle('code' in error && error.code === 'ECONNREFUSED'));
  });
}

function answer(request: IncomingMessage, response: ServerResponse, stats: ReadStats): void {
  request.resume();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else if (request.url !== '/metrics') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('only /metrics is here\n');
  } else {
    stats((read) => {
      if (read === undefined) {
        response.writeHead(500).end();
        return;
      }
      response.writeHead(200, { 'content-type': PROMETHEUS_TYPE });
      response.end(request.method === 'HEAD' ? undefined : renderPrometheus(read));
    });
  }
}
