/**
 * The client where no C compiler is: `pread` and `metadata` with one client, with
 * the same output as peers/client.
 */
import * as fs from 'node:fs';
import { must } from '../../src/base/assert.js';
import type { MetadataPhase } from './client.js';

const READ_BYTES = 11;
const NS_PER_S = 1e9;
/** O_DIRECT of x86-64 and most others; Node's constant is missing where it differs. */
const O_DIRECT = fs.constants.O_DIRECT ?? 0;

function pread(file: string, count: number, how: string): object {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | (how === 'direct' ? O_DIRECT : 0));
  const bytes = Buffer.alloc(READ_BYTES);
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) fs.readSync(fd, bytes, 0, READ_BYTES, 0);
  return { nsPerOperation: Number(process.hrtime.bigint() - start) / count };
}

function metadata(root: string, files: number): object {
  const dir = `${root}/c0`;
  fs.mkdirSync(dir);
  const rates: Partial<Record<MetadataPhase, number>> = {};
  const time = (phase: MetadataPhase, operations: number, body: () => void) => {
    const start = process.hrtime.bigint();
    body();
    rates[phase] = (operations * NS_PER_S) / Number(process.hrtime.bigint() - start);
  };
  const each = (phase: MetadataPhase, one: (i: number) => void) =>
    time(phase, files, () => {
      for (let i = 0; i < files; i++) one(i);
    });
  each('mkdir', (i) => fs.mkdirSync(`${dir}/d${i}`));
  each('create', (i) => fs.closeSync(fs.openSync(`${dir}/f${i}`, 'wx')));
  each('open+close', (i) => fs.closeSync(fs.openSync(`${dir}/f${i}`, 'r')));
  each('chmod', (i) => fs.chmodSync(`${dir}/f${i}`, 0o600));
  each('stat', (i) => fs.lstatSync(`${dir}/f${i}`));
  time('list', files * 2, () => {
    for (const name of fs.readdirSync(dir)) fs.lstatSync(`${dir}/${name}`);
  });
  each('rename', (i) => fs.renameSync(`${dir}/f${i}`, `${dir}/g${i}`));
  each('unlink', (i) => fs.unlinkSync(`${dir}/g${i}`));
  each('rmdir', (i) => fs.rmdirSync(`${dir}/d${i}`));
  fs.rmdirSync(dir);
  return rates;
}

const [verb, target, count, how] = process.argv.slice(2);
if (verb !== 'pread' && verb !== 'metadata') {
  process.stderr.write(`client-node: ${verb ?? 'nothing'} needs the compiled client\n`);
  process.exit(2);
}
const amount = Number(must(count, 'count'));
const result =
  verb === 'pread'
    ? pread(must(target, 'file'), amount, how ?? 'plain')
    : metadata(must(target, 'directory'), amount);
process.stdout.write(`${JSON.stringify(result)}\n`);
