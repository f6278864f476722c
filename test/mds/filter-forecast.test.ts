/** A feed that must not miss a change relies on it: what leads to a passing record was foreseen. */
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { FsError } from '../../src/base/errno.js';
import { type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { type Filter, parseFilter, passes } from '../../src/feed/filter.js';
import type { ChangeHead } from '../../src/feed/log.js';
import type { RecordBody } from '../../src/feed/record.js';
import { mayPass } from '../../src/mds/filter-forecast.js';
import type { Credentials, Reint } from '../../src/rpc/messages.js';
import { Random } from '../support/random.js';
import type { Simulated } from '../support/simulated.js';
import { DIRECTORY, done, FILE, make, reintSuite } from './reint-fixture.js';

const suite = reintSuite('filter-forecast');

const STEPS = 3_000;
const NAMES = ['a', 'b', 'c.jpg', '.d', 'e.tmp'];
/** system.posix_acl_default with entries for owner, one user, group, mask, others. */
const DEFAULT_ACL = Buffer.from(
  [
    '02000000',
    '01000700ffffffff',
    '02000500e8030000',
    '04000500ffffffff',
    '10000700ffffffff',
    '20000500ffffffff',
  ].join(''),
  'hex',
);

function filters(directories: readonly Fid[]): Filter[] {
  const inTrees = directories.map((fid) => ({ subtree: formatFid(fid) }));
  const plain = [
    {},
    { name: '*.jpg' },
    { not: { name: ['.*', '*.tmp'] } },
    { ops: ['unlink', 'rmdir'] },
    { ops: ['create', 'mkdir', 'mknod', 'symlink', 'link'] },
    { ops: 'setxattr' },
    { ops: ['removexattr', 'setattr'] },
    { ops: 'write' },
    { ops: 'rename', name: 'a' },
    { uid: 7 },
    { not: { gid: 8 } },
  ];
  return [...plain, ...inTrees, ...inTrees.map((tree) => ({ ...tree, name: '[ab]' }))].map((json) =>
    parseFilter(JSON.stringify(json)),
  );
}

class Changes {
  readonly #random: Random;
  readonly directories: Fid[] = [ROOT_FID];
  readonly #objects: Fid[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  made(fid: Fid, isDirectory: boolean): void {
    this.#objects.push(fid);
    if (isDirectory) this.directories.push(fid);
  }

  #pick<T>(choices: readonly T[]): T {
    return must(this.#random.pick(choices), 'a choice');
  }

  next(): Reint {
    const random = this.#random;
    const parent = this.#pick(this.directories);
    const name = nameFromText(this.#pick(NAMES));
    const fid = this.#pick([ROOT_FID, ...this.#objects.slice(-20)]);
    const place = { parent, name };
    const asked = { ...place, umask: 0, rdev: 0, open: false };
    switch (random.below(14)) {
      case 0:
        return { op: 'create', ...asked, mode: FILE };
      case 1:
      case 2:
        return { op: 'create', ...asked, mode: DIRECTORY };
      case 3:
        return { op: 'create', ...asked, mode: 0o010644 };
      case 4:
        return { op: 'symlink', ...place, target: 'somewhere' };
      case 5:
        return { op: 'link', fid, ...place };
      case 6:
        return { op: 'unlink', ...place };
      case 7:
        return { op: 'rmdir', ...place };
      case 8:
        return { op: 'tmpfile', parent, mode: FILE, umask: 0, linkable: true };
      case 9:
        return { op: 'setattr', fid, change: { mode: random.below(0o1000) } };
      case 10:
        return { op: 'setxattr', fid, name: nameFromText('user.x'), value: DEFAULT_ACL, flags: 0 };
      case 11: {
        const acl = nameFromText(`system.posix_acl_${this.#pick(['access', 'default'])}`);
        return random.below(3) === 0
          ? { op: 'removexattr', fid, name: acl }
          : { op: 'setxattr', fid, name: acl, value: DEFAULT_ACL, flags: 0 };
      }
      default: {
        const newParent = this.#pick(this.directories);
        const newName = nameFromText(this.#pick(NAMES));
        return { op: 'rename', ...place, newParent, newName, flags: this.#pick([0, 0, 1, 2, 4]) };
      }
    }
  }
}

interface Logged {
  readonly head: ChangeHead;
  /** The filters that it passed, at that moment. */
  readonly passed: readonly number[];
  readonly body: RecordBody;
}

/** Listens to what goes to the log, and judges it at once. */
function listen(sim: Simulated, judges: readonly Filter[]): Logged[] {
  const logged: Logged[] = [];
  const { log, namespace } = sim.server;
  const append = log.append.bind(log);
  log.append = (head, body, takers) => {
    const passed = judges.flatMap((judge, i) =>
      passes(judge, head, body, namespace.links) ? [i] : [],
    );
    logged.push({ head, body, passed });
    append(head, body, takers);
  };
  return logged;
}

suite('no record passes a filter that a forecast had ruled out', async ({ sim }) => {
  const changes = new Changes(new Random(4_711));
  for (const name of NAMES) changes.made(make(sim, ROOT_FID, name, DIRECTORY), true);
  const judges = filters(changes.directories);
  const logged = listen(sim, judges);
  const counts = { ruledOut: 0, passed: 0, done: 0 };
  for (let step = 0; step < STEPS; step++) {
    const change = changes.next();
    const who: Credentials = {
      ...{ uid: 5 + (step % 4), gid: 7 + (step % 3), pid: 1, jobid: '', nid: '0@lo' },
    };
    const { links } = sim.server.namespace;
    const may = judges.map((judge) => mayPass(judge, change, who, links));
    try {
      const { attributes } = sim.server.transact({ who, change });
      if (change.op === 'create' || change.op === 'tmpfile' || change.op === 'symlink') {
        changes.made(attributes.fid, change.op === 'create' && change.mode === DIRECTORY);
      }
      counts.done++;
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
    }
    counts.ruledOut += may.filter((one) => !one).length;
    for (const { body, passed } of logged.splice(0)) {
      counts.passed += passed.length;
      for (const i of passed) {
        assert.ok(
          must(may[i], 'forecast'),
          `${body.op} by ${change.op}, filter ${i}, step ${step}`,
        );
      }
    }
    if (step % 200 === 0) await sim.settle();
  }
  assert.ok(counts.done > STEPS / 5, JSON.stringify(counts));
  assert.ok(counts.passed > STEPS && counts.ruledOut > STEPS, JSON.stringify(counts));
});

suite('the first name of a file without one may lead to all that it has', ({ sim }) => {
  const file = done(sim, { op: 'tmpfile', parent: ROOT_FID, mode: FILE, umask: 0, linkable: true });
  const change: Reint = {
    ...{ op: 'link', fid: file.fid, parent: ROOT_FID, name: nameFromText('x') },
  };
  const { links } = sim.server.namespace;
  for (const op of ['create', 'write', 'setxattr', 'link']) {
    assert.ok(mayPass(parseFilter(`{"ops":"${op}"}`), change, { uid: 0, gid: 0 }, links));
  }
});

suite.run();
