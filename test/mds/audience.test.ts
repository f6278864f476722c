/** Who takes which record: feeds by their filters, watches, and what the clients are told. */
import * as assert from 'uvu/assert';
import { Errno, errnoName, FsError } from '../../src/base/errno.js';
import { formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { FILTERS_MAX } from '../../src/feed/limits.js';
import type { ChangeHead } from '../../src/feed/log.js';
import type { RecordBody, Transno } from '../../src/feed/record.js';
import type { RecordTaker } from '../../src/feed/takers.js';
import { Audience, type Watch, type Wishes } from '../../src/mds/audience.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import { DIRECTORY, done, make, reintSuite, renameOf } from './reint-fixture.js';

const suite = reintSuite('audience');

interface Info {
  readonly filter: unknown;
  readonly filterFrom: { readonly index: string } | null;
  readonly lastError: string | null;
}

function info(sim: Simulated, id: number): Info {
  return JSON.parse(sim.rpc('feedText', { id, file: 'info' }) as string) as Info;
}

async function newFeed(sim: Simulated, name: string): Promise<number> {
  let id = 0;
  sim.connection.call('feedCreate', { name: nameFromText(name) }, (_errno, feed) => {
    id = feed?.id ?? 0;
  });
  await sim.settle();
  return id;
}

/** 'ok', or the errno's name. */
async function setFilter(sim: Simulated, id: number, filter: object | string): Promise<string> {
  const text = typeof filter === 'string' ? filter : JSON.stringify(filter);
  let result = 'no answer';
  sim.connection.call('feedSetText', { id, file: 'filter', text }, (errno) => {
    result = errno === 0 ? 'ok' : errnoName(errno);
  });
  await sim.settle();
  return result;
}

/** `create x`: operations and names that a feed owes. */
async function owed(sim: Simulated, id: number): Promise<string[]> {
  await sim.settle();
  return owedRecords(sim, id).map((record) =>
    'name' in record ? `${record.op} ${record.name}` : record.op,
  );
}

const HEAD: ChangeHead = {
  ...{ transno: 1 as Transno, time: { sec: 0, nsec: 0 }, fid: ROOT_FID },
  ...{ uid: 1, gid: 1, pid: 1, nid: '0@lo', jobid: '' },
};
const SETATTR: RecordBody = { op: 'setattr', attrs: {} };
const OPEN: RecordBody = { op: 'open', access: { errno: 0, repeated: 0, directory: false } };

suite('each feed gets what its filter lets pass, and one without a filter all', async (context) => {
  const { sim, feed } = context;
  const jpg = await newFeed(sim, 'jpg');
  const moves = await newFeed(sim, 'moves');
  assert.is(await setFilter(sim, jpg, { name: '*.jpg' }), 'ok');
  assert.is(await setFilter(sim, moves, { ops: ['rename', 'unlink'] }), 'ok');
  make(sim, ROOT_FID, 'a.jpg');
  make(sim, ROOT_FID, 'b.txt');
  done(sim, renameOf([ROOT_FID, 'b.txt'], [ROOT_FID, 'b.jpg']));
  done(sim, { op: 'unlink', parent: ROOT_FID, name: nameFromText('a.jpg') });
  assert.equal(await owed(sim, jpg), ['create a.jpg', 'rename b.txt', 'unlink a.jpg']);
  assert.equal(await owed(sim, moves), ['rename b.txt', 'unlink a.jpg']);
  assert.is((await owed(sim, feed)).length, 4);
});

suite('a subtree is judged as the change leaves it', async ({ sim, feed }) => {
  const top = make(sim, ROOT_FID, 'top', DIRECTORY);
  const other = make(sim, ROOT_FID, 'other', DIRECTORY);
  await setFilter(sim, feed, { subtree: formatFid(top) });
  const from = (await owed(sim, feed)).length;
  const moved = make(sim, other, 'moved', DIRECTORY);
  make(sim, moved, 'before');
  done(sim, renameOf([other, 'moved'], [top, 'moved']));
  const inside = make(sim, moved, 'inside');
  // The top moves, and takes all that is in it along.
  done(sim, renameOf([ROOT_FID, 'top'], [other, 'renamed']));
  make(sim, moved, 'still inside');
  done(sim, { op: 'link', fid: inside, parent: ROOT_FID, name: nameFromText('outside') });
  done(sim, { op: 'setattr', fid: inside, change: { mode: 0o600 } });
  done(sim, renameOf([top, 'moved'], [ROOT_FID, 'out']));
  make(sim, moved, 'after');
  done(sim, { op: 'unlink', parent: moved, name: nameFromText('inside') });
  done(sim, { op: 'setattr', fid: inside, change: { mode: 0o644 } });
  done(sim, { op: 'rmdir', parent: other, name: nameFromText('renamed') });
  assert.equal((await owed(sim, feed)).slice(from), [
    'rename moved',
    'create inside',
    'rename top',
    'create still inside',
    // It has a name inside, and one more now.
    'link outside',
    'setattr',
    'rename moved',
    'rmdir renamed',
  ]);
});

suite('another filter holds from then on, and info says since when', async ({ sim, feed }) => {
  make(sim, ROOT_FID, 'one.txt');
  assert.is(info(sim, feed).filterFrom, null);
  await setFilter(sim, feed, { name: '*.jpg' });
  assert.is(info(sim, feed).filterFrom?.index, '2');
  make(sim, ROOT_FID, 'two.txt');
  make(sim, ROOT_FID, 'two.jpg');
  await setFilter(sim, feed, { name: ['*.jpg'] });
  assert.is(info(sim, feed).filterFrom?.index, '2', 'the same filter once more');
  await setFilter(sim, feed, { ops: 'unlink' });
  make(sim, ROOT_FID, 'three.jpg');
  assert.is(info(sim, feed).filterFrom?.index, '4');
  await setFilter(sim, feed, '');
  make(sim, ROOT_FID, 'four.txt');
  assert.is(info(sim, feed).filter, null);
  assert.equal(await owed(sim, feed), ['create one.txt', 'create two.jpg', 'create four.txt']);
});

suite('a refused filter changes nothing and says why', async ({ sim, feed }) => {
  await setFilter(sim, feed, { name: '*.jpg' });
  for (const bad of ['{', '{"ops":[]}', '{"path":"/"}', 'x'.repeat(100_000)]) {
    assert.is(await setFilter(sim, feed, bad), 'EINVAL');
    assert.match(info(sim, feed).lastError ?? '', /^filter: /);
    assert.equal(info(sim, feed).filter, { name: '*.jpg' });
  }
  make(sim, ROOT_FID, 'x.txt');
  make(sim, ROOT_FID, 'x.jpg');
  assert.equal(await owed(sim, feed), ['create x.jpg']);
  await setFilter(sim, feed, { name: '*.txt' });
  assert.is(info(sim, feed).lastError, null);
});

suite('filters survive a restart', async (context) => {
  const { sim, feed, folder } = context;
  await setFilter(sim, feed, { name: '*.jpg' });
  make(sim, ROOT_FID, 'a.jpg');
  await sim.settle();
  await sim.crash(`${folder}/crashed`);
  const again = new Simulated(`${folder}/crashed`);
  context.sim = again;
  make(again, ROOT_FID, 'b.txt');
  make(again, ROOT_FID, 'b.jpg');
  assert.equal(await owed(again, feed), ['create a.jpg', 'create b.jpg']);
  assert.is(again.rpc('feedText', { id: feed, file: 'filter' }), '{"name":"*.jpg"}\n');
});

suite('a stored filter that is not understood lets everything pass, and info says so', (context) => {
  const { sim, feed } = context;
  const stored = sim.server.feeds.get(feed);
  if (stored === undefined) throw new Error('no feed');
  sim.server.feeds.index(stored);
  stored.filterText = '{"from":"a newer version"}';
  sim.server.audience.changed(stored);
  assert.equal(sim.server.audience.takers(HEAD, SETATTR).feeds, [feed]);
  assert.equal(sim.server.audience.takers(HEAD, OPEN).feeds, [feed]);
  assert.match(stored.lastError ?? '', /everything passes: .*unknown member "from"/);
});

suite('the filter of a feed that expired stays as it is, and judges nothing', async (context) => {
  const { sim, feed } = context;
  await setFilter(sim, feed, { name: '*.jpg' });
  const expired = sim.server.feeds.get(feed);
  if (expired === undefined) throw new Error('no feed');
  sim.server.feeds.expire(expired, { when: sim.clock.now(), why: 'a test says so' });
  sim.server.commit.note();
  assert.is(await setFilter(sim, feed, { name: '*.png' }), 'EIDRM');
  assert.is(sim.rpc('feedText', { id: feed, file: 'filter' }), '{"name":"*.jpg"}\n');
  assert.equal(sim.server.audience.takers(HEAD, SETATTR).feeds, []);
  assert.not(sim.server.recording);
});

suite('no more different filters than the store can judge by', async ({ sim, feed }) => {
  const feeds = [feed];
  for (let i = 1; i <= FILTERS_MAX; i++) {
    sim.connection.call('feedCreate', { name: nameFromText(`f${i}`) }, (_errno, made) => {
      feeds.push(made?.id ?? 0);
    });
  }
  await sim.settle();
  const results: string[] = [];
  for (const [i, id] of feeds.entries()) {
    const text = `{"uid":${i}}`;
    sim.connection.call('feedSetText', { id, file: 'filter', text }, (errno) => {
      results[i] = errno === 0 ? 'ok' : errnoName(errno);
    });
  }
  await sim.settle();
  assert.is(results.filter((result) => result === 'ok').length, FILTERS_MAX);
  const [last = 0] = feeds.slice(-1);
  assert.is(results.at(-1), 'ENOSPC');
  assert.match(info(sim, last).lastError ?? '', /256 different ones already/);
  assert.is(await setFilter(sim, last, { uid: 0 }), 'ok', 'one that is there');
  assert.is(await setFilter(sim, feeds[5] ?? 0, { uid: 9_999 }), 'ok', 'instead of its own');
});

suite('each different filter judges once, and what cannot be read is shown', async ({ sim }) => {
  const [one, two] = [await newFeed(sim, 'one'), await newFeed(sim, 'two')];
  for (const id of [one, two]) await setFilter(sim, id, { name: 'x' });
  let judged = 0;
  const unreadable = {
    names: () => {
      judged++;
      throw new FsError(Errno.EIO, 'damaged');
    },
    isBelow: () => false,
  };
  const audience = new Audience(sim.server.feeds, unreadable, () => {});
  const { feeds } = audience.takers(HEAD, SETATTR);
  assert.equal([...feeds].sort(), [one, two].sort());
  assert.is(judged, 1);
});

suite('asking for accesses: the clients are told, and nobody else gets them', async (context) => {
  const { sim, feed } = context;
  const wishes: Wishes[] = [];
  sim.connection.onNotice((notice) => {
    if (notice.kind === 'recording') wishes.push(notice);
  });
  const { audience, feeds } = sim.server;
  assert.not(audience.accesses);
  assert.is(feeds.get(feed)?.indexedFrom, undefined);
  const audit = await newFeed(sim, 'audit');
  await setFilter(sim, audit, { ops: ['denied', 'open'] });
  assert.equal(
    wishes.map(({ recording, accesses }) => [recording, accesses]),
    [[true, true]],
  );
  const later = await newFeed(sim, 'later');
  assert.equal(audience.takers(HEAD, OPEN).feeds, [audit]);
  assert.equal([...audience.takers(HEAD, SETATTR).feeds].sort(), [feed, later].sort());
  await setFilter(sim, audit, { ops: 'unlink' });
  assert.not(audience.accesses);
  await setFilter(sim, audit, { ops: 'accesses' });
  sim.connection.call('feedRemove', { name: nameFromText('audit') }, () => {});
  await sim.settle();
  assert.equal(
    wishes.map(({ accesses }) => accesses),
    [true, false, true, false],
  );
});

suite('the last feed ends, and watches: whether anything is recorded', async ({ sim }) => {
  const { audience } = sim.server;
  const told: boolean[] = [];
  sim.connection.onNotice((notice) => {
    if (notice.kind === 'recording') told.push(notice.recording);
  });
  const wanted: RecordBody[] = [];
  const taker: RecordTaker = { took: () => {} };
  const watch: Watch = {
    accesses: false,
    takes: (_change, body) => {
      wanted.push(body);
      return taker;
    },
  };
  audience.addWatch(watch);
  sim.connection.call('feedRemove', { name: nameFromText('f') }, () => {});
  await sim.settle();
  assert.equal(told, []);
  assert.ok(sim.server.recording);
  make(sim, ROOT_FID, 'seen');
  assert.is(wanted.length, 1);
  assert.equal(audience.takers(HEAD, SETATTR), { feeds: [], watches: [taker] });
  audience.removeWatch(watch);
  audience.removeWatch(watch);
  assert.equal(told, [false]);
  assert.not(sim.server.recording);
});

suite.run();
