// test-timeout: 300 s
// test-alone: it measures how long answers take
/**
 * 100,000 changes as fast as they can be made while both readers sleep: the feed
 * has all of them; what inotify lost is printed, and not asserted.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import koffi from 'koffi';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import { boundariesOf, bytesRead, read, TestFeed, withReader } from './feed-fixture.js';

const libc = koffi.load('libc.so.6');
const inotifyInit = libc.func('int inotify_init1(int)');
const inotifyAddWatch = libc.func('int inotify_add_watch(int, const char *, uint32_t)');

const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_Q_OVERFLOW = 0x4000;
const EVENT_HEAD_BYTES = 16;
const CHANGES = 100_000;
const BIG = 1024 * 1024;

/** One burst; two processes' worth of work would only be slower on two cores. */
const BURST = `
  const fs = require('fs');
  for (let i = 0; i < ${CHANGES / 2}; i++) { fs.mkdirSync('d'); fs.rmdirSync('d'); }`;

/** Everything that inotify still has: events, and whether it says that it lost some. */
function drainInotify(fd: number): { events: number; overflow: boolean } {
  const buffer = Buffer.alloc(BIG);
  let events = 0;
  let overflow = false;
  for (;;) {
    let length: number;
    try {
      length = fs.readSync(fd, buffer);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') break;
      throw error;
    }
    for (let at = 0; at < length; at += EVENT_HEAD_BYTES + buffer.readUInt32LE(at + 12)) {
      if (buffer.readUInt32LE(at + 4) & IN_Q_OVERFLOW) overflow = true;
      else events++;
    }
  }
  return { events, overflow };
}

test(`${CHANGES} changes while the readers sleep`, () =>
  withMount(async (mount) => {
    const feed = new TestFeed(mount);
    const inotify: number = inotifyInit(fs.constants.O_NONBLOCK);
    assert.ok(inotifyAddWatch(inotify, mount.mnt, IN_CREATE | IN_DELETE) >= 0);
    try {
      const begun = performance.now();
      const { status } = spawnSync(process.execPath, ['-e', BURST], { cwd: mount.mnt });
      const seconds = (performance.now() - begun) / 1000;
      assert.is(status, 0);
      await until(() => feed.info().owedRecords === `${CHANGES}`, 'all records');
      let records = 0;
      withReader(feed.path('stream'), (fd) => {
        for (let part = read(fd, BIG); part !== 'EAGAIN'; part = read(fd, BIG)) {
          records += boundariesOf(bytesRead(part), 'stream').length - 1;
        }
      });
      assert.is(records, CHANGES);
      const { events, overflow } = drainInotify(inotify);
      const lost = overflow ? 'and says that it lost some' : 'and lost none';
      console.log(
        `${CHANGES} changes in ${seconds.toFixed(1)} s: the feed has ${records}, inotify ${events} ${lost}`,
      );
    } finally {
      fs.closeSync(inotify);
    }
  }));

test.run();
