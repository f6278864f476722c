/** What tells the kernel, before there is a session: nothing is cached until then. */
import type { FileName } from '../../base/name.js';
import type { CoherentNotifier } from '../../fuse/api.js';

export class LateNotifier implements CoherentNotifier {
  #notifier: CoherentNotifier | undefined;

  attach(notifier: CoherentNotifier): void {
    this.#notifier = notifier;
  }

  pollWakeup(kh: number): void {
    this.#notifier?.pollWakeup(kh);
  }

  invalidateInode(
    nodeId: number,
    offset: number,
    length: number,
    told?: (errno: number) => void,
  ): void {
    this.#notifier?.invalidateInode(nodeId, offset, length, told);
  }

  invalidateEntry(parent: number, name: FileName): void {
    this.#notifier?.invalidateEntry(parent, name);
  }

  deleteEntry(parent: number, child: number, name: FileName): void {
    this.#notifier?.deleteEntry(parent, child, name);
  }

  incrementEpoch(): boolean {
    return this.#notifier?.incrementEpoch() ?? true;
  }

  fence(done: () => void): void {
    if (this.#notifier === undefined) setImmediate(done);
    else this.#notifier.fence(done);
  }
}
