/** A copy in memory that batches and baselines are brought into, by receivers that may be killed. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fid } from '../../../../src/base/fid.js';
import { openDirectoryTarget } from '../../../../src/bridges/receive/directory/directory-target.js';
import type { KeptContents, Target } from '../../../../src/bridges/receive/target.js';
import type { Contents } from '../../../../src/bridges/stream/frame.js';
import type { ChangeRecord } from '../../../../src/feed/record.js';
import type { BaselineHead, LogPlace } from '../../../../src/rpc/baseline.js';
import type { Random } from '../../../support/random.js';
import type { Audience } from './audience.js';
import { ModelDisk } from './model-disk.js';
import { Killed, ModelHands } from './model-hands.js';
import type { SourceModel } from './source-model.js';

export function kept(parts: readonly Contents[]): KeptContents {
  return {
    bytes: parts.length,
    parts: () => parts,
    partsOf: (fid: Fid) => parts.filter((part) => part.fid === fid),
  };
}

const TIME = { sec: 1, nsec: 0 };

export function placeAt(index: number): LogPlace {
  return { epoch: 0, offset: index * 100, index };
}

export interface CopyOptions {
  readonly random: Random;
  readonly isRoot?: boolean;
}

export class Copying {
  readonly disk = new ModelDisk();
  readonly notices: string[] = [];
  /** What the disk is named by. */
  filesystem: string | undefined;
  /** Watches whoever is to receive. */
  audience: Audience | undefined;
  readonly #options: CopyOptions;
  readonly #folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-plan-'));

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  get stateDirectory(): string {
    return join(this.#folder, 'state');
  }

  /** Runs a receiver until it is done, or killed before or in its `killAt`th step: whether it was done. */
  async receive(work: (target: Target) => Promise<void>, killAt?: number): Promise<boolean> {
    return (await this.steps(work, killAt)) !== undefined;
  }

  /** Like {@link receive}: the hands that it used. */
  async steps(
    work: (target: Target) => Promise<void>,
    killAt?: number,
  ): Promise<ModelHands | undefined> {
    const { random, isRoot = true } = this.#options;
    const hands = new ModelHands(this.disk, random, {
      isRoot,
      filesystem: this.filesystem,
      ...(killAt === undefined ? {} : { killAt }),
    });
    hands.audience = this.audience;
    const target = await openDirectoryTarget({
      target: 'the copy',
      stateDirectory: this.stateDirectory,
      hands: () => hands,
      durable: false,
      notice: (message) => this.notices.push(message),
    });
    try {
      await work(target);
      return hands;
    } catch (error) {
      if (error instanceof Killed) return undefined;
      throw error;
    } finally {
      await target.close();
    }
  }

  close(): void {
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A whole baseline of the source as it is. */
export async function sendBaseline(
  target: Target,
  source: SourceModel,
  random: Random,
  index: number,
): Promise<void> {
  const { objects, contents, names } = source.baseline();
  await target.beginBaseline(headAt(index, objects.length));
  while (objects.length > 0) {
    const batch = objects.splice(0, 1 + random.below(8));
    await target.objects(batch);
    for (const { object } of batch) {
      for (const part of contents.filter(({ fid }) => fid === object.fid)) {
        await target.contents(part);
      }
    }
  }
  const count = names.length;
  while (names.length > 0) await target.names(names.splice(0, 1 + random.below(4)));
  await target.endBaseline({ kind: 'end', objects: 0, names: count }, placeAt(index), TIME);
}

function headAt(index: number, objects: number): BaselineHead {
  return {
    kind: 'head',
    filesystem: 'f00d',
    feed: { id: 7, name: 'copy' },
    transno: index,
    place: placeAt(index),
    time: TIME,
    objects,
  };
}

export function applyBatch(
  target: Target,
  records: readonly ChangeRecord[],
  parts: readonly Contents[],
  from: LogPlace,
): Promise<void> {
  const last = records.at(-1);
  const to = last === undefined ? from : placeAt(last.index + 1);
  return target.apply({ from, to, records, contents: kept(parts), time: TIME });
}
