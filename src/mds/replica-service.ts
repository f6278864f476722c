/** What a receiver asks of the store that it makes a copy. */
import { Errno, FsError } from '../base/errno.js';
import type { Notice, ReplicaMethods, Service } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import type { Namespace } from './namespace.js';
import type { Replica } from './replica.js';

export interface ReplicaServiceParts {
  readonly replica: Replica;
  readonly namespace: Namespace;
  readonly commit: GroupCommit;
  /** Of this filesystem. */
  readonly filesystem: string;
  readonly notify: (notice: Notice) => void;
}

export class ReplicaService {
  readonly #parts: ReplicaServiceParts;
  readonly methods: Pick<Service, keyof ReplicaMethods>;

  constructor(parts: ReplicaServiceParts) {
    this.#parts = parts;
    const { replica, commit, filesystem } = parts;
    this.methods = {
      replicaState: (_request, answer) => {
        answer(0, { filesystem, source: replica.source, empty: this.#isEmpty() });
      },
      replicaBegin: (request, answer) => {
        if (request.filesystem === filesystem) {
          throw new FsError(Errno.EINVAL, 'a filesystem cannot be its own copy');
        }
        replica.begin(request, this.#isEmpty());
        this.#changed(answer);
      },
      replicaPlace: (request, answer) => {
        replica.setPlace(request);
        commit.note();
        answer(0, undefined);
      },
      replicaPromote: (_request, answer) => {
        replica.promote();
        this.#changed(answer);
      },
    };
  }

  /** Nothing is in it, nobody holds anything that was, and no contents of it are left. */
  #isEmpty(): boolean {
    const { namespace, replica } = this.#parts;
    const { inodeCount, orphans, objects } = namespace;
    const nothing = inodeCount === 1 && orphans.size === 0 && !objects.any;
    return nothing && !replica.active && !replica.promoted;
  }

  /** Answers when that is on disk. */
  #changed(answer: (errno: Errno | 0, result: undefined) => void): void {
    const { replica, commit, notify } = this.#parts;
    notify({ kind: 'replica', replica: replica.active });
    commit.note();
    commit.whenFlushed((error) => answer(error?.errno ?? 0, undefined));
  }
}
