/** What the server tells without being asked, and what of it holds now. */
import type { Notice } from '../../rpc/messages.js';
import type { Welcome } from '../../rpc/session.js';

type ServerState = Welcome['state'];

export class Notices {
  readonly #listeners: ((notice: Notice) => void)[] = [];
  #state: ServerState | undefined;

  /** Undefined before the first welcome. */
  get state(): ServerState | undefined {
    return this.#state;
  }

  listen(listener: (notice: Notice) => void): void {
    this.#listeners.push(listener);
  }

  welcome(state: ServerState): void {
    this.#state = state;
  }

  tell(notice: Notice): void {
    const state = this.#state;
    if (state !== undefined) this.#state = { ...state, ...changeOf(notice) };
    for (const listener of this.#listeners) listener(notice);
  }

  /** After a time without a connection: whatever may have been told meanwhile. */
  catchUp(): void {
    const state = this.#state;
    if (state === undefined) return;
    const { recording, accesses, watchful, replica } = state;
    this.tell({ kind: 'recording', recording, accesses });
    this.tell({ kind: 'blocked', watchful });
    this.tell({ kind: 'replica', replica });
    // Readers ask again: for records, and whether their feed is still there.
    this.tell({ kind: 'visible' });
  }
}

function changeOf(notice: Notice): Partial<ServerState> {
  switch (notice.kind) {
    case 'recording':
      return { recording: notice.recording, accesses: notice.accesses };
    case 'blocked':
      return { watchful: notice.watchful };
    case 'replica':
      return { replica: notice.replica };
    default:
      return {};
  }
}
