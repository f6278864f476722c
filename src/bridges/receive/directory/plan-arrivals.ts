/**
 * In which order objects go to their new places. A place must be free before something comes
 * to it, and the directory that it is in must be at its own new place: then no directory can
 * get below itself. Where objects wait for one another in a circle, one goes to the limbo.
 */
import { assert, must } from '../../../base/assert.js';
import { type Fid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory } from '../../../base/mode.js';
import type { NamePlace } from '../../../rpc/places.js';
import { isInBooksOnly, type NetEffect, type NetObject } from './net-object.js';
import { type CopyTree, isLimbo, isSameName, namesWithout } from './state-tree.js';

/** What a rename or mkdir does: one per object. */
export interface Arrival {
  readonly object: NetObject;
  /** Undefined: a new directory. */
  readonly from: NamePlace | undefined;
  readonly to: NamePlace;
}

export interface ArrivalOrder {
  /** Each after those that it waits for. */
  readonly order: readonly Arrival[];
  /** Objects that leave their place before anything else happens. */
  readonly limbo: readonly Arrival[];
}

interface Edge {
  readonly arrival: Arrival;
  /** It has to leave the place; otherwise it is the directory that the place is in. */
  readonly leaves: boolean;
}

interface Frame {
  readonly arrival: Arrival;
  readonly edges: readonly Edge[];
  next: number;
  /** By which edge the one below it in the stack led here. */
  readonly leaves: boolean;
}

export function orderArrivals(net: NetEffect, tree: CopyTree): ArrivalOrder {
  const arrivals = new Map<Fid, Arrival>();
  for (const object of net.values()) {
    const arrival = arrivalOf(object, tree);
    if (arrival !== undefined) arrivals.set(object.fid, arrival);
  }
  return new Ordering(net, tree, arrivals).run();
}

function arrivalOf(object: NetObject, tree: CopyTree): Arrival | undefined {
  const { fid, type, known, after } = object;
  if (known === undefined) {
    const [to] = after;
    return isDirectory(type) && to !== undefined ? { object, from: undefined, to } : undefined;
  }
  if (isInBooksOnly(object)) return undefined;
  const names = tree.object(fid)?.names ?? [];
  const leaving = namesWithout(names, after);
  const [to] = namesWithout(after, names);
  const from = leaving.find(isLimbo) ?? leaving[0];
  return to === undefined || from === undefined ? undefined : { object, from, to };
}

class Ordering {
  readonly #net: NetEffect;
  readonly #tree: CopyTree;
  readonly #arrivals: ReadonlyMap<Fid, Arrival>;
  readonly #progress = new Map<Arrival, 'open' | 'done'>();
  readonly #limbo = new Set<Arrival>();
  readonly #order: Arrival[] = [];
  readonly #depths = new Map<Fid, number>([[ROOT_FID, 0]]);

  constructor(net: NetEffect, tree: CopyTree, arrivals: ReadonlyMap<Fid, Arrival>) {
    this.#net = net;
    this.#tree = tree;
    this.#arrivals = arrivals;
  }

  run(): ArrivalOrder {
    const depth = new Map<Arrival, number>();
    for (const arrival of this.#arrivals.values()) depth.set(arrival, this.#depth(arrival.to));
    // Those near the root first: new directories of one depth can then be made together.
    const starts = [...depth].sort(([, a], [, b]) => a - b);
    for (const [arrival] of starts) if (!this.#progress.has(arrival)) this.#visit(arrival);
    return { order: this.#order, limbo: [...this.#limbo] };
  }

  #visit(start: Arrival): void {
    const stack: Frame[] = [this.#open(start, false)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = top.edges[top.next++];
      if (edge === undefined) {
        this.#progress.set(top.arrival, 'done');
        this.#order.push(top.arrival);
        stack.pop();
        continue;
      }
      if (edge.leaves && this.#limbo.has(edge.arrival)) continue;
      const progress = this.#progress.get(edge.arrival);
      if (progress === undefined) stack.push(this.#open(edge.arrival, edge.leaves));
      else if (progress === 'open') this.#breakCircle(edge, stack);
    }
  }

  #open(arrival: Arrival, leaves: boolean): Frame {
    this.#progress.set(arrival, 'open');
    return { arrival, edges: this.#edgesOf(arrival), next: 0, leaves };
  }

  /** Going up only through directories never leads back, so somewhere in a circle is one that has to leave. */
  #breakCircle(edge: Edge, stack: Frame[]): void {
    if (edge.leaves) {
      this.#limbo.add(edge.arrival);
      return;
    }
    for (;;) {
      const frame = must(stack.pop(), 'one that has to leave');
      assert(frame.arrival !== edge.arrival, 'one that has to leave in every circle');
      this.#progress.delete(frame.arrival);
      if (!frame.leaves) continue;
      // Whoever waited for it goes on; it has its turn later.
      this.#limbo.add(frame.arrival);
      return;
    }
  }

  #edgesOf({ object, to }: Arrival): readonly Edge[] {
    const edges: Edge[] = [];
    const above = this.#arrivalAbove(to);
    if (above !== undefined) edges.push({ arrival: above, leaves: false });
    const there = this.#tree.child(to.parent, to.name);
    if (there !== undefined && there !== object.fid) this.#addLeaving(there, to, edges);
    return edges;
  }

  /** That of the nearest directory above a place, in the final tree, that goes somewhere. */
  #arrivalAbove({ parent }: NamePlace): Arrival | undefined {
    let at = parent;
    while (at !== 0 && at !== ROOT_FID) {
      const arrival = this.#arrivals.get(at);
      if (arrival !== undefined) return arrival;
      at = must(this.#finalPlace(at), 'a directory above').parent;
    }
    return undefined;
  }

  /** Who has to leave so that a place is free: who is there, or all in it that does not go with it. */
  #addLeaving(fid: Fid, place: NamePlace, edges: Edge[]): void {
    const pending = [{ fid, place }];
    for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
      const arrival = this.#arrivals.get(one.fid);
      if (arrival?.from !== undefined && isSameName(arrival.from, one.place)) {
        edges.push({ arrival, leaves: true });
        continue;
      }
      const object = this.#tree.object(one.fid);
      if (object === undefined || !isDirectory(object.type)) continue;
      for (const child of this.#tree.children(one.fid)) {
        pending.push({ fid: child.fid, place: { parent: one.fid, name: child.name } });
      }
    }
  }

  #finalPlace(fid: Fid): NamePlace | undefined {
    return (this.#net.get(fid)?.after ?? this.#tree.object(fid)?.names)?.[0];
  }

  /** Directories between a place and the root, in the final tree. */
  #depth({ parent }: NamePlace): number {
    const way: Fid[] = [];
    let at = parent;
    let depth: number | undefined;
    while (at !== 0 && depth === undefined) {
      depth = this.#depths.get(at);
      if (depth !== undefined) break;
      way.push(at);
      at = must(this.#finalPlace(at), 'a directory above').parent;
    }
    let known = depth ?? 0;
    for (const fid of way.reverse()) this.#depths.set(fid, ++known);
    return known;
  }
}
