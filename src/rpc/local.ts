/**
 * The in-process transport: a call is a call. It keeps the promises that a socket
 * would keep: every request is answered once, and a server's failure is an errno.
 */
import createDebug from 'debug';
import { Errno, errnoOf, FsError } from '../base/errno.js';
import type { Answer, Connection, Method, Notice, RequestOf, Service } from './messages.js';

const debug = createDebug('feedfs:rpc');

export class LocalConnection implements Connection {
  readonly direct = true;
  readonly #service: Service;
  readonly #listeners: ((notice: Notice) => void)[] = [];

  constructor(service: Service) {
    this.#service = service;
  }

  call<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): void {
    let answered = false;
    const once: Answer<M> = (errno, result) => {
      if (answered) {
        debug('%s was answered twice', method);
        return;
      }
      answered = true;
      if (debug.enabled) debug('%s -> %d', method, errno);
      answer(errno, result);
    };
    try {
      this.#service[method](request, once);
    } catch (error) {
      if (answered) throw error;
      if (!(error instanceof FsError)) {
        debug('%s failed: %o', method, error);
        if (!debug.enabled) console.error(`feedfs: ${method} failed:`, error);
      }
      once(error instanceof FsError ? error.errno : (errnoOf(error) ?? Errno.EIO), undefined);
    }
  }

  onNotice(listener: (notice: Notice) => void): void {
    this.#listeners.push(listener);
  }

  /** The server's side of {@link onNotice}. */
  notify(notice: Notice): void {
    for (const listener of this.#listeners) listener(notice);
  }
}
