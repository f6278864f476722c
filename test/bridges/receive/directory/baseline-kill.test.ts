/**
 * Files with several names, and a receiver that is killed at every single step of a baseline
 * or a batch: whatever comes next takes all names that the copy has for its own, and for no
 * stranger's.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../../src/base/errno.js';
import { HandsError } from '../../../../src/bridges/receive/directory/hands-error.js';
import type { Target } from '../../../../src/bridges/receive/target.js';
import { Random } from '../../../support/random.js';
import { differences } from './compare-models.js';
import { applyBatch, Copying, placeAt, sendBaseline } from './copying.js';
import { ScriptedSource } from './scripted-source.js';
import { SourceModel } from './source-model.js';

/** More steps than any stage has. */
const STEPS_MAX = 200;

interface Stage<Source> {
  /** What happens to the source before it is sent. */
  readonly change: (source: Source) => void;
  /** A batch only where the copy is whole; what was sent before again only if that was killed. */
  readonly send: 'baseline' | 'batch' | 'again';
}

interface Story<Source> {
  readonly source: () => Source;
  readonly stages: readonly Stage<Source>[];
}

/** One receiver per stage, each killed at its step: undefined, or more than it has, is never. */
async function tell<Source extends SourceModel>(
  { source: make, stages }: Story<Source>,
  kills: readonly (number | undefined)[],
  seed: number,
): Promise<readonly boolean[]> {
  const random = new Random(seed);
  const source = make();
  const copying = new Copying({ random });
  const done: boolean[] = [];
  let index = 1;
  let work = async (_: Target): Promise<void> => {};
  try {
    for (const [i, { change, send }] of stages.entries()) {
      change(source);
      const records = source.records.splice(0);
      const [from, to] = [index, index + records.length];
      const parts = source.contentsFor(records);
      if (send === 'batch') work = (target) => applyBatch(target, records, parts, placeAt(from));
      if (send === 'baseline') work = (target) => sendBaseline(target, source, random, to);
      const isOver = send === 'again' && done.at(-1) === true;
      done.push(isOver || (await copying.receive(work, kills[i])));
      index = to;
    }
    assert.equal(differences(source, copying.disk), []);
    return done;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`seed ${seed}, killed at ${kills.join(', ')}: ${message}`);
  } finally {
    copying.close();
  }
}

/** The second stage is killed at every step. */
async function killOnce<Source extends SourceModel>(story: Story<Source>, seed: number) {
  for (let kill = 0; kill < STEPS_MAX; kill++) {
    const [, done] = await tell(story, [undefined, kill], seed);
    if (done === true) return;
  }
  throw new Error(`a stage of more than ${STEPS_MAX} steps`);
}

/** The second stage is killed at every step, and each time the third at every step. */
async function killTwice<Source extends SourceModel>(story: Story<Source>, seed: number) {
  for (let first = 0; first < STEPS_MAX; first++) {
    for (let second = 0; second < STEPS_MAX; second++) {
      const [, isFirst, isSecond] = await tell(story, [undefined, first, second], seed);
      if (isFirst === true) return;
      if (isSecond === true) break;
    }
  }
  throw new Error(`a stage of more than ${STEPS_MAX} steps`);
}

/** Each as likely as the other to be in the middle of a step or before it. */
const SEEDS = [1, 2, 3, 4];

test('a directory that had to wait in the limbo still has the names that are in it', async () => {
  const story: Story<ScriptedSource> = {
    source: () => new ScriptedSource(),
    stages: [
      {
        change: (source) => {
          source.mkdir('d');
          source.link(source.create('f'), 'd/f');
        },
        send: 'baseline',
      },
      {
        // In a baseline it comes long after that which takes its place.
        change: (source) => {
          source.rename('d', 'x');
          source.mkdir('d');
          for (let i = 0; i < 8; i++) source.mkdir(`e${i}`);
          source.rename('x', 'z');
        },
        send: 'baseline',
      },
      { change: (source) => source.mkdir('n'), send: 'baseline' },
    ],
  };
  for (const seed of SEEDS) await killOnce(story, seed);
});

for (const next of ['baseline', 'again'] as const) {
  test(`a new file of several names has the number of one that went; then ${next}`, async () => {
    const story: Story<ScriptedSource> = {
      source: () => new ScriptedSource(),
      stages: [
        { change: (source) => source.create('c'), send: 'baseline' },
        {
          change: (source) => {
            // What was written to is for its owner alone before it goes.
            source.write(source.at('c'), 'the last words of c');
            source.unlink('c');
            source.link(source.create('a'), 'c');
          },
          send: 'batch',
        },
        { change: () => {}, send: next },
      ],
    };
    for (const seed of SEEDS) await killOnce(story, seed);
  });
}

test('a name that a stranger gave meanwhile is still none of the copy', async () => {
  let refused = 0;
  for (let kill = 0; kill < 10; kill++) {
    const random = new Random(kill + 1);
    const source = new ScriptedSource();
    const copying = new Copying({ random });
    const baseline = (target: Target) => sendBaseline(target, source, random, 1);
    try {
      source.create('c');
      await copying.receive(baseline);
      source.records.length = 0;
      source.unlink('c');
      source.link(source.create('a'), 'c');
      const records = source.records.splice(0);
      const parts = source.contentsFor(records);
      await copying.receive((to) => applyBatch(to, records, parts, placeAt(1)), kill);
      const { entries } = copying.disk.root;
      const file = entries.get('a');
      if (file === undefined || entries.get('c') !== file) continue;
      file.links++;
      const before = Buffer.from(file.contents);
      source.write(source.at('a'), 'what no stranger is to see');
      const error = await copying.receive(baseline).catch((failure: unknown) => failure);
      assert.instance(error, HandsError);
      assert.is((error as HandsError).errno, Errno.EMLINK);
      assert.equal(file.contents, before);
      refused += 1;
    } finally {
      copying.close();
    }
  }
  assert.ok(refused > 0, 'a batch that was killed when it had made and linked the file');
});

const FACTOR = Number(process.env.FEEDFS_TEST_FACTOR ?? 1);
/** This and the next once showed names that nobody knew of. */
const FIRST_SEED = 13;

for (const send of ['baseline', 'batch'] as const) {
  test(`files of many names: a ${send} killed at every step, and the baseline after it`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 2 * FACTOR; seed++) {
      const change = (source: SourceModel): void => {
        for (let i = 0; i < 20; i++) source.step();
      };
      const story: Story<SourceModel> = {
        source: () => new SourceModel(new Random(seed), 'names'),
        stages: [
          { change, send: 'baseline' },
          { change, send },
          { change, send: 'baseline' },
          { change, send: 'baseline' },
        ],
      };
      await killTwice(story, seed);
    }
  });
}

test.run();
