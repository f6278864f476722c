/** Names and path resolution. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { exists, fails, posix } from './case.js';
import { renameat2 } from './libc.js';

/** A path whose last name is arbitrary bytes. */
function bytesPath(dir: string, name: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name)]);
}

const NON_UTF8 = [0x66, 0xff, 0xfe, 0x80, 0x0a, 0x20, 0x5c];

export const names = [
  posix('a missing name is ENOENT', (dir) => {
    fails('ENOENT', () => fs.statSync(join(dir, 'missing')));
    fails('ENOENT', () => fs.openSync(join(dir, 'missing'), 'r'));
    fails('ENOENT', () => fs.openSync(join(dir, 'missing', 'below'), 'w'));
  }),
  posix('a file in the middle of a path is ENOTDIR', (dir) => {
    fs.writeFileSync(join(dir, 'file'), '');
    fails('ENOTDIR', () => fs.statSync(join(dir, 'file', 'below')));
    fails('ENOTDIR', () => fs.mkdirSync(join(dir, 'file', 'below')));
    fails('ENOTDIR', () => fs.statSync(`${dir}/file/`));
  }),
  posix('a name that was missing is seen once it is created', (dir) => {
    const path = join(dir, 'late');
    assert.not(exists(path));
    fs.writeFileSync(path, 'x');
    assert.ok(exists(path));
    fs.unlinkSync(path);
    assert.not(exists(path));
  }),
  posix('a name of 255 bytes works, of 256 is ENAMETOOLONG', (dir) => {
    const longest = 'n'.repeat(255);
    fs.writeFileSync(join(dir, longest), 'x');
    assert.equal(fs.readdirSync(dir), [longest]);
    const longer = join(dir, 'n'.repeat(256));
    fails('ENAMETOOLONG', () => fs.writeFileSync(longer, 'x'));
    fails('ENAMETOOLONG', () => fs.mkdirSync(longer));
    fails('ENAMETOOLONG', () => fs.symlinkSync('t', longer));
    fails('ENAMETOOLONG', () => fs.linkSync(join(dir, longest), longer));
    fails('ENAMETOOLONG', () => fs.renameSync(join(dir, longest), longer));
    fails('ENAMETOOLONG', () => fs.statSync(longer));
    assert.equal(fs.readdirSync(dir), [longest]);
  }),
  posix('255 bytes are counted in bytes, not characters', (dir) => {
    fs.writeFileSync(join(dir, 'ä'.repeat(127)), '');
    fails('ENAMETOOLONG', () => fs.writeFileSync(join(dir, 'ä'.repeat(128)), ''));
  }),
  posix('a name that is not UTF-8 keeps its bytes', (dir) => {
    const path = bytesPath(dir, NON_UTF8);
    fs.writeFileSync(path, 'bytes');
    const listed = fs.readdirSync(dir, { encoding: 'buffer' });
    assert.equal(listed.length, 1);
    assert.ok(listed[0]?.equals(Buffer.from(NON_UTF8)));
    assert.is(fs.readFileSync(path, 'utf8'), 'bytes');
    const moved = bytesPath(dir, [0xc3, 0x28]);
    renameat2(path, moved, 0);
    assert.is(fs.readFileSync(moved, 'utf8'), 'bytes');
    fs.unlinkSync(moved);
  }),
  posix('every byte but slash and NUL can stand in a name', (dir) => {
    const bytes = Array.from({ length: 255 }, (_, i) => i + 1).filter((byte) => byte !== 0x2f);
    for (const byte of bytes) fs.writeFileSync(bytesPath(dir, [0x78, byte]), '');
    const seen = fs.readdirSync(dir, { encoding: 'buffer' }).map((name) => name[1]);
    assert.equal(new Set(seen), new Set(bytes));
  }),
  posix('names differ by case and by normalization', (dir) => {
    const all = ['a', 'A', '\u00e9', 'e\u0301', ' ', '...', '-f', '*', '\n'];
    for (const name of all) fs.writeFileSync(join(dir, name), name);
    assert.equal(fs.readdirSync(dir).sort(), [...all].sort());
    for (const name of all) assert.is(fs.readFileSync(`${dir}/${name}`, 'utf8'), name);
  }),
  posix('dot and dot-dot are what they say', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    const ino = fs.statSync(dir).ino;
    assert.is(fs.statSync(`${dir}/.`).ino, ino);
    assert.is(fs.statSync(`${dir}/sub/..`).ino, ino);
    fails('EEXIST', () => fs.mkdirSync(`${dir}/.`));
    fails('EEXIST', () => fs.mkdirSync(`${dir}/sub/..`));
    fails('EINVAL', () => fs.rmdirSync(`${dir}/sub/.`));
    fails('ENOTEMPTY', () => fs.rmdirSync(`${dir}/sub/..`));
    fails('EBUSY', () => fs.renameSync(`${dir}/sub/.`, `${dir}/other`));
    fails(['EISDIR', 'EPERM'], () => fs.unlinkSync(`${dir}/sub/..`));
  }),
  posix('a path of many components resolves', (dir) => {
    const deep = join(dir, ...Array.from({ length: 60 }, (_, i) => `level-${i}`));
    fs.mkdirSync(deep, { recursive: true });
    fs.writeFileSync(join(deep, 'leaf'), 'deep');
    assert.is(fs.readFileSync(join(deep, 'leaf'), 'utf8'), 'deep');
    assert.is(fs.statSync(`${deep}${'/..'.repeat(60)}`).ino, fs.statSync(dir).ino);
  }),
];
