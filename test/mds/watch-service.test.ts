/** Transient feeds of the privileged, limits, and what they keep in the log. */
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import {
  WATCHES_FIRST_ONLY,
  WATCHES_OF_USERS_MAX,
  WATCHES_PER_USER_MAX,
  WATCHES_PRIVILEGED_MAX,
} from '../../src/mds/limits.js';
import { Simulated } from '../support/simulated.js';
import { make } from './reint-fixture.js';
import { chmod, OpenWatch, ROOT, USER, type WatchContext, watchSuite } from './watch-fixture.js';

const test = watchSuite('watches');

/** Blocks of the log that are stored. */
function blocks({ sim }: WatchContext): number {
  const { log } = sim.server;
  return log.spans.reduce(
    (sum, span) => sum + log.heads(span, 0, span.end.offset, Number.MAX_SAFE_INTEGER).length,
    0,
  );
}

test('the privileged see the lines of stream.ndjson, from the open on', async ({ sim }) => {
  const id = await new Promise<number>((resolve) => {
    sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, feed) =>
      resolve(feed?.id ?? 0),
    );
    void sim.settle();
  });
  make(sim, ROOT_FID, 'before');
  const watch = new OpenWatch(sim, ROOT);
  const other = new OpenWatch(sim, ROOT);
  const file = make(sim, ROOT_FID, 'a');
  chmod(sim, file, 0o600);
  assert.equal(watch.lines(), []);
  await sim.settle();
  const into = Buffer.alloc(65_536);
  const chunk = sim.rpc('feedNext', { id, view: 'ndjson', epoch: 0, cursor: 0, into });
  assert.ok(typeof chunk === 'object');
  const stream = into.toString('utf8', 0, chunk.length).split('\n').filter(Boolean);
  assert.is(stream.length, 3);
  assert.equal(
    watch.lines(),
    stream.slice(1).map((line) => JSON.parse(line)),
  );
  assert.equal(watch.lines(), []);
  assert.equal(other.brief(), watch.brief().concat(['create a', `setattr ${formatOf(stream[2])}`]));
});

function formatOf(line: string | undefined): string {
  return (JSON.parse(line ?? '{}') as { fid: string }).fid;
}

test('changes are recorded while somebody watches, and nothing of them stays', async (context) => {
  const { sim } = context;
  const notices: boolean[] = [];
  sim.connection.onNotice((notice) => {
    if (notice.kind === 'recording') notices.push(notice.recording);
  });
  const watch = new OpenWatch(sim, ROOT);
  make(sim, ROOT_FID, 'a');
  await sim.settle();
  assert.is(blocks(context), 1);
  assert.equal(watch.brief(), ['create a']);
  make(sim, ROOT_FID, 'b');
  watch.close();
  assert.equal(notices, [true, false]);
  make(sim, ROOT_FID, 'c');
  await sim.settle();
  assert.is(blocks(context), 0);
});

test('what a feed has let go of stays for a watch, and no longer', async (context) => {
  const { sim } = context;
  const id = await new Promise<number>((resolve) => {
    sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, feed) =>
      resolve(feed?.id ?? 0),
    );
    void sim.settle();
  });
  const watch = new OpenWatch(sim, ROOT);
  make(sim, ROOT_FID, 'a');
  await sim.settle();
  const range = { offset: 0, length: 2 ** 40 };
  sim.connection.call('feedPunch', { id, view: 'stream', epoch: 0, ...range }, () => {});
  await sim.settle();
  assert.is(blocks(context), 1);
  assert.equal(watch.brief(), ['create a']);
  watch.close();
  await sim.settle();
  assert.is(blocks(context), 0);
});

test('a watch keeps no more than its own oldest record', async (context) => {
  const { sim } = context;
  const watch = new OpenWatch(sim, ROOT, { name: 'mine' });
  for (let i = 0; i < 1_500; i++) make(sim, ROOT_FID, `other${i}`);
  await sim.settle();
  assert.is(blocks(context), 0);
  make(sim, ROOT_FID, 'mine');
  await sim.settle();
  assert.is(blocks(context), 1);
  assert.equal(watch.brief(), ['create mine']);
});

test('ordinary users only where they may', async ({ folder }) => {
  const sim = new Simulated(`${folder}/closed`);
  assert.throws(() => new OpenWatch(sim, USER), /EACCES/);
  assert.is(sim.server.events.snapshot().watches_refused, 1);
  assert.is(sim.server.recording, false);
  new OpenWatch(sim, ROOT).close();
  await sim.close();
});

test('so many per user, so many for all users, and others for the privileged', ({ sim }) => {
  const open = (uid: number, count: number) =>
    Array.from({ length: count }, () => new OpenWatch(sim, { ...USER, uid }));
  const own = open(1000, WATCHES_PER_USER_MAX);
  assert.throws(() => open(1000, 1), /EMFILE/);
  own[3]?.close();
  open(1000, 1);
  const shared = WATCHES_OF_USERS_MAX - WATCHES_FIRST_ONLY;
  for (let uid = 2000; sim.server.watches.count < shared; uid++) open(uid, WATCHES_PER_USER_MAX);
  // The last places are for who has none.
  for (let uid = 3000; sim.server.watches.count < WATCHES_OF_USERS_MAX; uid++) {
    open(uid, 1);
    assert.throws(() => open(uid, 1), /EMFILE/);
  }
  assert.throws(() => open(9999, 1), /EMFILE/);
  const privileged = Array.from({ length: WATCHES_PRIVILEGED_MAX }, () => new OpenWatch(sim, ROOT));
  assert.throws(() => new OpenWatch(sim, ROOT), /EMFILE/);
  assert.is(sim.server.events.snapshot().watches_refused, 3 + WATCHES_FIRST_ONLY);
  privileged[0]?.close();
  new OpenWatch(sim, ROOT);
});

test('a watch that is closed, or never was, is none', ({ sim }) => {
  const watch = new OpenWatch(sim, ROOT);
  watch.close();
  assert.is(watch.filter(''), 'EBADF');
  assert.is(watch.read(100), 'EBADF');
});

test('a filter that is none is refused, with its reason', async ({ sim }) => {
  const watch = new OpenWatch(sim, ROOT);
  assert.is(watch.filter('{"ops":"crate"}'), 'EINVAL');
  assert.is(watch.filter('{"ops":'), 'EINVAL');
  const [line] = watch.lines();
  assert.is(line?.op, 'refused');
  assert.match(`${line?.reason}`, /^filter: /);
  assert.is(watch.filter('{"ops":["mkdir","create"],"name":"*.jpg"}'), undefined);
  make(sim, ROOT_FID, 'a.jpg');
  make(sim, ROOT_FID, 'a.txt');
  await sim.settle();
  assert.equal(watch.brief(), ['create a.jpg']);
  assert.is(watch.filter(''), 'EBUSY');
});

test('accesses are asked for only by a privileged watch', ({ sim }) => {
  const asked: boolean[] = [];
  sim.connection.onNotice((notice) => {
    if (notice.kind === 'recording') asked.push(notice.accesses);
  });
  const watch = new OpenWatch(sim, ROOT, { ops: ['accesses'] });
  // Recording does not stop on the way.
  assert.equal(asked, [false, true]);
  watch.close();
  assert.is(asked.at(-1), false);
  assert.throws(() => new OpenWatch(sim, USER, { ops: ['open'] }), /EPERM/);
  assert.is(asked.at(-1), false);
});

test.run();
