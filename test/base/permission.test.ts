/** What mayAccess decides is what the kernel decides, for generated modes, owners and ACLs. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Identity, mayAccess } from '../../src/base/permission.js';
import { decodeAcl } from '../../src/mds/acl.js';
import { ACCESS, aclText, rawAcl } from '../support/acl.js';
import { lgetxattr, lsetxattr } from '../support/libc.js';
import { TEMP_PREFIX } from '../support/mount.js';
import { runOk } from '../support/processes.js';
import { Random } from '../support/random.js';

const CHILD = fileURLToPath(new URL('./permission-child.js', import.meta.url));
const FILES = 400;
const IDS = [40_001, 40_002, 40_003, 40_004] as const;
const WATCHERS: readonly Identity[] = [
  { uid: 40_001, gid: 40_001, groups: [] },
  { uid: 40_002, gid: 40_002, groups: [40_001, 40_003] },
  { uid: 40_003, gid: 40_004, groups: [40_004, 40_002] },
];

const USER = 0x02;
const GROUP = 0x08;

interface Made {
  readonly path: string;
  readonly acl: Buffer | undefined;
}

function makeFile(folder: string, number: number, random: Random): Made {
  const path = join(folder, `${number}`);
  fs.writeFileSync(path, '');
  fs.chownSync(path, random.pick(IDS) ?? 0, random.pick(IDS) ?? 0);
  fs.chmodSync(path, random.below(0o1000));
  if (random.chance(40)) return { path, acl: undefined };
  const rights = () => random.below(8);
  const named = (tag: number) =>
    IDS.filter(() => random.chance(40)).map((id) => ({ tag, permissions: rights(), id }));
  const plain = (tag: number) => ({ tag, permissions: rights(), id: 0xffff_ffff });
  const entries = [plain(1), ...named(USER), plain(4), ...named(GROUP), plain(0x10), plain(0x20)];
  lsetxattr(Buffer.from(path), Buffer.from(ACCESS), rawAcl(entries), 0);
  // Without the mask's permissions named entries do not count at all.
  if (random.chance(20)) fs.chmodSync(path, fs.statSync(path).mode & ~0o070);
  return { path, acl: lgetxattr(Buffer.from(path), Buffer.from(ACCESS)) };
}

/** On tmpfs, which has ACLs wherever there is one. */
async function withFiles(use: (files: Made[]) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(`/dev/shm/${TEMP_PREFIX}`);
  fs.chmodSync(folder, 0o755);
  const random = new Random(4);
  try {
    await use(Array.from({ length: FILES }, (_, i) => makeFile(folder, i, random)));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

if (process.getuid?.() === 0) {
  test('mode, owner, group and ACL count as access(2) says', () =>
    withFiles(async (files) => {
      assert.ok(files.some(({ acl }) => acl !== undefined));
      for (const who of WATCHERS) {
        const paths = files.map(({ path }) => path);
        const child = [CHILD, JSON.stringify(who), JSON.stringify(paths)];
        const answers = JSON.parse(await runOk(process.execPath, child)) as boolean[][];
        files.forEach(({ path, acl }, i) => {
          const { mode, uid, gid } = fs.statSync(path);
          const entries = acl === undefined ? undefined : decodeAcl(acl);
          const decided = [1, 2, 3, 4, 5, 6, 7].map((mask) =>
            mayAccess({ mode, uid, gid }, entries, who, mask),
          );
          const what = `${mode.toString(8)} ${uid}:${gid} ${acl === undefined ? '' : aclText(acl)}`;
          assert.equal(decided, answers[i], `${JSON.stringify(who)} on ${what}`);
        });
      }
    }));
}

test('one entry has to give everything: two groups do not add up', () => {
  const acl = [
    { tag: 0x01, permissions: 0, id: 0 },
    { tag: 0x04, permissions: 4, id: 0 },
    { tag: 0x08, permissions: 1, id: 9 },
    { tag: 0x10, permissions: 7, id: 0 },
    { tag: 0x20, permissions: 7, id: 0 },
  ];
  const who = { uid: 5, gid: 8, groups: [9] };
  const object = { mode: 0o070, uid: 1, gid: 8 };
  assert.equal(
    [4, 1, 5].map((mask) => mayAccess(object, acl, who, mask)),
    [true, true, false],
  );
});

test.run();
