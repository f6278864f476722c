/** Asks the handlers that the session asks, and finds the objects that paths name. */
import { must } from '../base/assert.js';
import { Errno, errnoOf, FsError } from '../base/errno.js';
import { type FileName, nameFromText } from '../base/name.js';
import type { Attr, Caller, Entry, Handlers, Reply, Request } from '../fuse/api.js';
import { FUSE_ROOT_ID } from '../fuse/wire/abi.js';
import { AttrAnswer, type Done, EntryAnswer } from './answers.js';

export interface BridgeOptions {
  readonly handlers: Handlers;
  /** The only user that the mount lets in. */
  readonly caller: Caller;
  /** Something threw while an operation was served. */
  readonly onFault: (operation: string, error: unknown) => void;
  /** After each request that a handler got. */
  readonly onRequest: () => void;
}

type HandlerName = Exclude<keyof Handlers, 'forget' | 'destroy'>;
type Handler<K extends HandlerName> = NonNullable<Handlers[K]>;
/** A request but for what is the same in all. */
type Asked<K extends HandlerName> = Omit<Parameters<Handler<K>>[0], 'unique' | 'caller'>;
type ReplyOf<K extends HandlerName> = Parameters<Handler<K>>[1];

/** A directory and a name in it. */
export interface Place {
  readonly parent: number;
  readonly name: FileName;
}

/** What the addon puts where bytes are not UTF-8. */
const REPLACEMENT = '�';

export class Bridge {
  readonly #options: BridgeOptions;
  /**
   * Objects without a name, by the name under which libfuse still knows them (see
   * hiding.ts). Each is forgotten with that name, and is kept until then.
   */
  readonly hidden = new Map<string, number>();

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  get caller(): Caller {
    return this.#options.caller;
  }

  ask<K extends HandlerName>(name: K, asked: Asked<K>, reply: ReplyOf<K> & Reply): void {
    const { handlers, caller, onFault, onRequest } = this.#options;
    // The compiler does not see that a name's handler, request and reply belong together.
    const handler = handlers[name] as ((request: Request, reply: Reply) => void) | undefined;
    if (handler === undefined) return reply.error(Errno.ENOSYS);
    try {
      handler.call(handlers, { ...asked, unique: 0, caller } as unknown as Request, reply);
    } catch (error) {
      if (!(error instanceof FsError)) onFault(name, error);
      if (!reply.answered) reply.error(errnoOf(error));
    } finally {
      onRequest();
    }
  }

  lookup({ parent, name }: Place, done: Done<Entry>): void {
    const reply = new EntryAnswer((errno, entry) => {
      if (entry !== undefined) this.forget(entry);
      done(errno, entry);
    });
    this.ask('lookup', { nodeId: parent, name }, reply);
  }

  /** An answer with an entry counts a reference, and no path keeps one. */
  forget({ nodeId }: Pick<Entry, 'nodeId'>): void {
    this.#options.handlers.forget?.([{ nodeId, nlookup: 1 }]);
  }

  attributes(nodeId: number, done: Done<Attr>): void {
    this.ask('getattr', { nodeId, fh: undefined }, new AttrAnswer(done));
  }

  /** The object that a path names. libfuse's paths are absolute, without symlinks and dots. */
  find(path: string, done: Done<number>): void {
    this.#walk(split(path), done);
  }

  /** Where the last component of a path is, or is to be. */
  place(path: string, done: Done<Place>): void {
    const names = split(path);
    const name = names?.pop();
    if (names === undefined) return done(Errno.EILSEQ, undefined);
    // The root itself is no entry of anything.
    if (name === undefined) return done(Errno.EBUSY, undefined);
    this.#walk(names, (errno, parent) => {
      if (parent === undefined) done(errno, undefined);
      else done(0, { parent, name: nameFromText(name) });
    });
  }

  #walk(names: string[] | undefined, done: Done<number>): void {
    if (names === undefined) return done(Errno.EILSEQ, undefined);
    const nameless = this.hidden.get(names.at(-1) ?? '');
    if (nameless !== undefined) return done(0, nameless);
    const step = (parent: number, depth: number): void => {
      if (depth === names.length) return done(0, parent);
      const name = nameFromText(must(names[depth], 'component of a path'));
      this.lookup({ parent, name }, (errno, entry) => {
        if (entry === undefined) done(errno, undefined);
        else step(entry.nodeId, depth + 1);
      });
    };
    step(FUSE_ROOT_ID, 0);
  }
}

/** Undefined for a path whose bytes the addon could not carry. */
function split(path: string): string[] | undefined {
  if (path.includes(REPLACEMENT)) return undefined;
  return path.split('/').filter((name) => name !== '');
}

/** The bytes of a name or target given as text, or undefined if the addon could not carry them. */
export function carried(text: string): FileName | undefined {
  return text.includes(REPLACEMENT) ? undefined : nameFromText(text);
}
