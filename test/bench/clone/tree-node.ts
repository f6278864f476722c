/**
 * Makes and changes the trees that are copied.
 *
 *     node tree-node.js make DIR FILES
 *     node tree-node.js change DIR FILES COUNT VERSION
 *
 * `change` gives new contents to COUNT files that lie evenly over the tree, and prints
 * the time at which the last of them was closed: milliseconds of the monotonic clock
 * that all processes share.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { changedFiles, contentsOf, FILES_PER_DIRECTORY, pathOf } from './tree.js';

function make(root: string, files: number): void {
  fs.mkdirSync(root);
  for (let i = 0; i < files; i++) {
    const path = join(root, pathOf(i));
    if (i % FILES_PER_DIRECTORY === 0) fs.mkdirSync(join(path, '..'), { recursive: true });
    fs.writeFileSync(path, contentsOf(i, 0));
  }
}

function change(root: string, files: number, count: number, version: number): void {
  for (const i of changedFiles(files, count)) {
    fs.writeFileSync(join(root, pathOf(i)), contentsOf(i, version));
  }
  process.stdout.write(`${performance.timeOrigin + performance.now()}\n`);
}

const [verb, root = '', ...numbers] = process.argv.slice(2);
const [files = 0, count = 0, version = 0] = numbers.map(Number);
if (verb === 'make') make(root, files);
else change(root, files, count, version);
