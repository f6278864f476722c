import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../src/cli/cli-error.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { type MountOptions, parseMountOptions } from '../../src/cli/mount-options.js';

const ROOT = { root: true, selinux: true };
const USER = { root: false, selinux: false };

const DEFAULTS: MountOptions = {
  readOnly: false,
  allowOther: undefined,
  busyPollUs: undefined,
  visibility: 'disk',
  driver: 'feedfs',
  accessTimes: 'relatime',
  userWatch: false,
  ha: false,
  metrics: undefined,
  kernelOptions: [],
};

/** Everything that mount(8) lists as independent of the filesystem, and fstab(5)'s own. */
const GENERIC =
  'ro,rw,suid,nosuid,dev,nodev,exec,noexec,sync,async,dirsync,atime,noatime,relatime,norelatime,strictatime,' +
  'nostrictatime,diratime,nodiratime,lazytime,nolazytime,iversion,noiversion,mand,nomand,silent,loud,auto,noauto,' +
  'user,nouser,users,owner,group,nofail,_netdev,defaults,nosymfollow,x-systemd.automount,x-gvfs-show,X-mount.mkdir,' +
  'x-systemd.requires=/var,comment=hello,fsname=abc,subtype=abc,max_read=65536,allow_other,noallow_other,' +
  'default_permissions,nonempty,context="system_u:object_r:tmp_t:s0:c127,c456",fscontext=a,defcontext=b,rootcontext=c,rec';

test('nothing given', () => {
  assert.equal(parseMountOptions([], ROOT), DEFAULTS);
  assert.equal(parseMountOptions(['', 'defaults'], ROOT), DEFAULTS);
});

test('user_watch is for mounts that others may use', () => {
  assert.is(parseMountOptions(['user_watch'], ROOT).userWatch, true);
  assert.is(parseMountOptions(['user_watch,nouser_watch'], ROOT).userWatch, false);
  assert.is(parseMountOptions(['user_watch,allow_other'], USER).userWatch, true);
  for (const [options, rights] of [
    ['user_watch', USER],
    ['user_watch,noallow_other', ROOT],
    ['user_watch,driver=fuse-native', ROOT],
  ] as const) {
    assert.throws(() => parseMountOptions([options], rights), /user_watch needs -o allow_other/);
  }
});

test('every generic option is taken, alone and together', () => {
  for (const rights of [ROOT, USER]) {
    parseMountOptions([GENERIC], rights);
    for (const option of GENERIC.match(/(?:[^,"]|"[^"]*")+/g) ?? [])
      parseMountOptions([option], rights);
  }
});

test('ours, the last one counts', () => {
  const lists = ['ro,busy_poll=100,visibility=commit', 'allow_other,noallow_other,rw,busy_poll=0'];
  assert.equal(parseMountOptions(lists, ROOT), {
    ...DEFAULTS,
    allowOther: false,
    busyPollUs: 0,
    visibility: 'commit',
  });
});

test('to the kernel goes what it can use: flags in order, a label unsplit and only with SELinux', () => {
  const list = ['nosuid,auto,lazytime,context="a:b,c",noatime'];
  assert.equal(parseMountOptions(list, ROOT).kernelOptions, [
    'nosuid',
    'lazytime',
    'context="a:b,c"',
    'noatime',
  ]);
  assert.equal(parseMountOptions(list, USER).kernelOptions, ['nosuid', 'noatime']);
});

test('access times: all that was asked for counts, whether or not the kernel can be told', () => {
  const cases = [
    ['noatime,relatime', 'relatime'],
    ['nodiratime,diratime', 'relatime'],
    ['noatime,strictatime,nodiratime', 'nodiratime'],
    ['relatime,noatime', 'noatime'],
    ['relatime,ro', 'noatime'],
  ] as const;
  for (const rights of [ROOT, USER]) {
    for (const [options, expected] of cases) {
      assert.is(parseMountOptions([options], rights).accessTimes, expected, options);
      assert.is(parseMountOptions(options.split(','), rights).accessTimes, expected, options);
    }
  }
});

for (const option of [
  ...[
    'bogus',
    'bogus=1',
    'busy_poll',
    'busy_poll=',
    'busy_poll=-1',
    'busy_poll=1.5',
    'busy_poll=99999999',
  ],
  ...['ro=1', 'nosuid=yes', 'fsname'],
]) {
  test(`refused: ${option}`, () => {
    try {
      parseMountOptions([`ro,${option}`], ROOT);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, CliError);
      assert.is((error as CliError).exitCode, ExitCode.USAGE);
      assert.match((error as CliError).message, /busy_poll/);
    }
  });
}

for (const option of ['visibility', 'visibility=never', 'visibility=']) {
  test(`refused: ${option}`, () => {
    try {
      parseMountOptions([`ro,${option}`], ROOT);
      assert.unreachable();
    } catch (error) {
      assert.is((error as CliError).exitCode, ExitCode.USAGE);
      assert.match((error as CliError).message, /visibility takes disk or commit/);
    }
  });
}

test.run();
