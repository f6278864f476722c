/** What programs hear when another mount changed a directory since the kernel looked into it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { Errno } from '../../src/base/errno.js';
import { nameFromText } from '../../src/base/name.js';
import type { ClientContext } from '../../src/client/context.js';
import { CREATE_TRIES_MAX } from '../../src/client/limits.js';
import { namespaceOperations } from '../../src/client/ops/namespace.js';
import type { Handlers } from '../../src/fuse/api.js';

const NAME = nameFromText('name');
const O_EXCL = 0o200;

/** A client whose server says what the test says; and what the kernel is told. */
class Raced {
  readonly asked: string[] = [];
  readonly told: Errno[] = [];
  readonly #handlers: ReturnType<typeof namespaceOperations>;

  constructor(answer: (method: string) => Errno | 0, shared = true) {
    const call = (method: string, _request: unknown, done: (...answer: unknown[]) => void) => {
      this.asked.push(method);
      const errno = answer(method);
      done(errno, errno === 0 ? {} : undefined);
    };
    const context = {
      mds: { call },
      files: { anyDirty: false, find: () => undefined },
      opens: { judged: false },
      coherence: { shared, mayCacheNames: () => false },
      accesses: { lookedUp: () => {} },
      callers: { credentials: () => ({}) },
    };
    this.#handlers = namespaceOperations(context as unknown as ClientContext);
  }

  ask(operation: keyof Handlers, request: object): Errno | undefined {
    const reply = { error: (errno: Errno) => void this.told.push(errno) };
    const caller = { uid: 0, gid: 0, pid: 0 };
    const handler = must(this.#handlers[operation as 'mkdir'], operation);
    handler(
      { nodeId: 7, name: NAME, caller, mode: 0o600, umask: 0, ...request } as never,
      reply as never,
    );
    assert.ok(this.told.length <= 1, 'told once');
    return this.told[0];
  }
}

const IN_A_DIRECTORY: readonly [keyof Handlers, object][] = [
  ['lookup', {}],
  ['mkdir', {}],
  ['mknod', { rdev: 0 }],
  ['symlink', { target: 'there' }],
  ['unlink', {}],
  ['rmdir', {}],
  ['link', { oldNodeId: 8 }],
  ['rename', { newParent: 7, newName: NAME, flags: 0 }],
  ['rename', { newParent: 9, newName: NAME, flags: 2 }],
  ['create', { flags: 0 }],
  ['create', { flags: O_EXCL }],
  ['tmpfile', { flags: 0 }],
];

test('in a directory that another mount has removed there is nothing', () => {
  for (const [operation, request] of IN_A_DIRECTORY) {
    const raced = new Raced(() => Errno.ESTALE);
    assert.is(raced.ask(operation, request), Errno.ENOENT, operation);
  }
});

test('what another mount has made since is looked at again', () => {
  const raced = new Raced((method) => (method === 'lookup' ? 0 : Errno.EEXIST));
  assert.is(raced.ask('create', { flags: 0 }), Errno.ESTALE);
  assert.equal(raced.asked, ['reint', 'lookup']);
  const exclusive = new Raced(() => Errno.EEXIST);
  assert.is(exclusive.ask('create', { flags: O_EXCL }), Errno.EEXIST);
  const alone = new Raced(() => Errno.EEXIST, false);
  assert.is(alone.ask('create', { flags: 0 }), Errno.EEXIST);
});

test('what is gone again by then is made after all', () => {
  const raced: Raced = new Raced((method): Errno => {
    if (method === 'lookup') return Errno.ENOENT;
    return raced.asked.length === 1 ? Errno.EEXIST : Errno.ENOSPC;
  });
  assert.is(raced.ask('create', { flags: 0 }), Errno.ENOSPC);
  assert.equal(raced.asked, ['reint', 'lookup', 'reint']);
});

test('a name that comes and goes does not keep a creation for ever', () => {
  const raced = new Raced((method) => (method === 'lookup' ? Errno.ENOENT : Errno.EEXIST));
  assert.is(raced.ask('create', { flags: 0 }), Errno.ESTALE);
  assert.is(raced.asked.filter((method) => method === 'reint').length, CREATE_TRIES_MAX);
});

test.run();
