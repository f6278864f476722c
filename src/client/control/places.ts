/**
 * Where a feed stands, as extended attributes of its directory and of its files: for
 * programs that would rather not parse `info`. On `stream.ndjson` offsets are of the text.
 */
import { Errno } from '../../base/errno.js';
import type { Handlers } from '../../fuse/api.js';
import type { FeedPlaces } from '../../rpc/messages.js';
import { type ClientContext, fidOf } from '../context.js';
import { type ControlNode, nodeOfFid } from './nodes.js';

const PREFIX = 'user.feedfs.';

const ATTRIBUTES = ['epoch', 'first_offset', 'next_offset', 'first_index', 'next_index'] as const;
type PlaceAttribute = (typeof ATTRIBUTES)[number];

function placeValue(name: PlaceAttribute, places: FeedPlaces, text: boolean): number {
  switch (name) {
    case 'epoch':
      return places.epoch;
    case 'first_offset':
      return text ? places.firstText : places.firstOffset;
    case 'next_offset':
      return text ? places.nextText : places.nextOffset;
    case 'first_index':
      return places.firstIndex;
    case 'next_index':
      return places.nextIndex;
  }
}

/** The feed whose places an object shows. */
function feedOf(node: ControlNode | undefined): { id: number; text: boolean } | undefined {
  if (node?.kind === 'feed' || node?.kind === 'changelog') return { id: node.id, text: false };
  if (node?.kind === 'stream') return { id: node.id, text: node.view === 'ndjson' };
  return undefined;
}

export function placeAttributes({
  mds,
}: ClientContext): Required<Pick<Handlers, 'getxattr' | 'listxattr'>> {
  return {
    getxattr: ({ nodeId, name }, reply) => {
      const feed = feedOf(nodeOfFid(fidOf(nodeId)));
      const attribute = ATTRIBUTES.find((one) => name === PREFIX + one);
      if (feed === undefined || attribute === undefined) return reply.error(Errno.ENODATA);
      mds.call('feedPlaces', { id: feed.id }, (errno, places) => {
        if (places === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
        reply.value(Buffer.from(`${placeValue(attribute, places, feed.text)}`));
      });
    },
    listxattr: ({ nodeId }, reply) => {
      const feed = feedOf(nodeOfFid(fidOf(nodeId)));
      const names = feed === undefined ? [] : ATTRIBUTES;
      reply.value(Buffer.from(names.map((name) => `${PREFIX}${name}\0`).join('')));
    },
  };
}
