/** Everyday programs on files of a mounted feedfs: editors' ways of saving, holes, copies, archives. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProgramMount, script, withProgram } from '../programs/program-mount.js';
import { run } from '../support/processes.js';

const MIB = 1024 * 1024;

/** Bytes that a file of the mount occupies. */
function occupied(program: ProgramMount, name: string): number {
  return fs.statSync(join(program.mnt, name)).blocks * 512;
}

function text(program: ProgramMount, name: string): string {
  return fs.readFileSync(join(program.mnt, name), 'utf8');
}

test('editors save: in place, by a temporary file and rename, with a backup', () =>
  withProgram(async (program) => {
    await script(
      program,
      `printf 'one\\ntwo\\nthree\\n' > file; chmod 640 file; chown 1234:5678 file
       setfattr -n user.note -v kept file; ln file other-name
       vim.tiny -es -u NONE -N -c 'set nobackup backupcopy=yes' -c '%s/two/2/' -c wq file`,
    );
    // In place: the same file, with all its names and attributes.
    assert.is(text(program, 'other-name'), 'one\n2\nthree\n');
    await script(
      program,
      `vim.tiny -es -u NONE -N -c 'set backup backupcopy=no backupskip=' -c '%s/one/1/' -c wq file`,
    );
    // By rename: the name leads to a new file, and the old one is the backup.
    assert.is(text(program, 'file'), '1\n2\nthree\n');
    assert.is(text(program, 'file~'), 'one\n2\nthree\n');
    assert.is(text(program, 'other-name'), 'one\n2\nthree\n');
    await script(program, `sed -i.orig 's/three/3/' file; sed -i 's/^/- /' file`);
    assert.is(text(program, 'file'), '- 1\n- 2\n- 3\n');
    assert.is(text(program, 'file.orig'), '1\n2\nthree\n');
    const { mode, uid, gid } = fs.statSync(join(program.mnt, 'file'));
    assert.equal([mode & 0o7777, uid, gid], [0o640, 1234, 5678]);
    await script(program, 'printf new > .file.tmp; sync .file.tmp; mv .file.tmp file; sync .');
    assert.equal(fs.readdirSync(program.mnt).sort(), ['file', 'file.orig', 'file~', 'other-name']);
    assert.is(text(program, 'file'), 'new');
  }));

test('install, mv onto and off the mount, and cp -b keep what they should', () =>
  withProgram(async (program) => {
    await script(
      program,
      `install -D -m 4751 -o 12 -g 34 /bin/true deep/er/true
       mv deep/er/true '${program.aside}/true'; mv '${program.aside}/true' again
       cp -b /bin/false again; cp -u --preserve=all again copy; mv -n copy again; ls again~`,
    );
    const { mode, uid, gid } = fs.statSync(join(program.mnt, 'again~'));
    assert.equal([mode & 0o7777, uid, gid], [0o4751, 12, 34]);
    assert.equal(fs.readFileSync(join(program.mnt, 'again')), fs.readFileSync('/bin/false'));
    assert.ok(fs.existsSync(join(program.mnt, 'copy')), 'mv -n replaces nothing');
    assert.is((await run('mv', ['--exchange', 'again', 'none'], { cwd: program.mnt })).code, 1);
  }));

test('cp --sparse and --reflink', () =>
  withProgram(async (program) => {
    await script(
      program,
      `truncate -s 64M holes; printf x | dd of=holes bs=1 seek=40000000 conv=notrunc status=none
       head -c 4M /dev/zero > zeroes
       cp --sparse=auto holes auto; cp --sparse=never holes never; cp --sparse=always zeroes always
       cp --reflink=auto holes reflink
       for copy in auto never reflink; do cmp holes $copy; done; cmp zeroes always`,
    );
    assert.ok(occupied(program, 'holes') <= MIB);
    assert.ok(occupied(program, 'auto') <= MIB);
    assert.is(occupied(program, 'always'), 0);
    assert.ok(occupied(program, 'never') >= 64 * MIB);
    const refused = await run('cp', ['--reflink=always', 'holes', 'no'], { cwd: program.mnt });
    assert.match(refused.stderr, /failed to clone/);
  }));

test('truncate and dd conv=notrunc, also beyond 4 GiB', () =>
  withProgram(async (program) => {
    const out = await script(
      program,
      `printf 0123456789 > file; truncate -s 5 file; truncate -s +3 file; od -An -c file
       printf ab | dd of=file bs=1 seek=6 conv=notrunc status=none; od -An -c file
       truncate -s 6G big; printf end | dd of=big bs=1 seek=5G conv=notrunc status=none
       dd if=big bs=1 skip=5G count=4 status=none | od -An -c; stat -c %s big
       printf more >> big; tail -c 4 big; truncate -s 3 file; cat file; echo
       du -k big | cut -f1; rm big`,
    );
    const squeezed = out.replace(/ +/g, ' ');
    const lines = [
      ...[' 0 1 2 3 4 \\0 \\0 \\0', ' 0 1 2 3 4 \\0 a b', ' e n d \\0'],
      ...[`${6 * 1024 * MIB}`, 'more012'],
    ];
    const [blocks, ...rest] = squeezed.trimEnd().split('\n').reverse();
    assert.equal(rest.reverse(), lines);
    assert.ok(Number(blocks) <= 1024, `${blocks} KiB`);
  }));

test('fallocate(1): allocate, keep the size, punch, zero, dig holes', () =>
  withProgram(async (program) => {
    const { mnt } = program;
    fs.writeFileSync(join(mnt, 'file'), Buffer.alloc(MIB, 'x'));
    await script(
      program,
      `fallocate -l 2M grown; : > kept; fallocate -n -l 2M kept
       fallocate -p -o 4096 -l 512K file; fallocate -z -o 600K -l 100K file
       fallocate -z -n -o 1M -l 100K file
       cp --sparse=never file dug; fallocate -d dug; cmp file dug`,
    );
    assert.equal(
      [fs.statSync(join(mnt, 'grown')).size, fs.statSync(join(mnt, 'kept')).size],
      [2 * MIB, 0],
    );
    assert.ok(occupied(program, 'grown') >= 2 * MIB);
    assert.ok(occupied(program, 'kept') >= 2 * MIB);
    const expected = Buffer.alloc(MIB, 'x');
    expected.fill(0, 4096, 4096 + 512 * 1024);
    expected.fill(0, 600 * 1024, 700 * 1024);
    assert.ok(fs.readFileSync(join(mnt, 'file')).equals(expected));
    assert.ok(occupied(program, 'dug') <= MIB - 512 * 1024);
    // As on tmpfs, and on every filesystem whose data are not extents of its own.
    for (const mode of ['-c', '-i']) {
      const refused = await run('fallocate', [mode, '-o', '0', '-l', '4096', 'file'], { cwd: mnt });
      assert.match(refused.stderr, /not supported/i, mode);
    }
  }));

test('zip and unzip', () =>
  withProgram(async (program) => {
    await script(
      program,
      `mkdir tree; for i in $(seq 50); do seq $((i * 97)) > tree/file-$i; done
       ln -s file-1 tree/link; chmod 700 tree/file-2
       zip -qry all.zip tree; zip -T all.zip; mkdir out; unzip -q all.zip -d out
       diff -r tree out/tree; seq 3 > tree/file-1; zip -q all.zip tree/file-1
       unzip -p all.zip tree/file-1 | cmp - tree/file-1
       gzip -k tree/file-50; gzip -t tree/file-50.gz`,
    );
    assert.is(fs.readlinkSync(join(program.mnt, 'out', 'tree', 'link')), 'file-1');
    assert.is(fs.statSync(join(program.mnt, 'out', 'tree', 'file-2')).mode & 0o777, 0o700);
  }));

test.run();
