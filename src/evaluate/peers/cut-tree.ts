import assert from 'node:assert/strict';
import type { Random } from '../../core/random.ts';

/** A leaf has no feature to cut in. One shape for both, because the trees are walked many million times in an evaluation. */
type Node = {
  feature: number;
  at: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Sum of the box's lengths. */
  extent: number;
  mass: number;
  parent: Node | null;
  below: Node | null;
  above: Node | null;
};

function leafOf(point: Float64Array): Node {
  const links = { parent: null, below: null, above: null };
  return { feature: -1, at: 0, low: point, high: point, extent: 0, mass: 1, ...links };
}

function next(node: Node, point: Float64Array): Node {
  return (point[node.feature]! <= node.at ? node.below : node.above)!;
}

/**
 * One random cut tree: a box is cut in a feature chosen with probability proportional to its length, at a place chosen evenly. Inserting and removing
 * leave the tree distributed as if it had been made anew of the points it holds.
 */
export class CutTree {
  readonly #random: Random;
  #root: Node | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  insert(point: Float64Array): void {
    if (this.#root === null) {
      this.#root = leafOf(point);
      return;
    }
    let node = this.#root;
    for (;;) {
      const cut = this.#cutOff(node, point);
      if (cut !== null) {
        this.#split(node, point, cut);
        return;
      }
      node.mass++;
      if (node.feature < 0) return;
      stretch(node, point);
      node = next(node, point);
    }
  }

  /** The point must be in the tree. */
  remove(point: Float64Array): void {
    assert(this.#root !== null);
    let node = this.#root;
    while (node.feature >= 0) node = next(node, point);
    const { parent } = node;
    for (let above: Node | null = parent; above !== null; above = above.parent) above.mass--;
    if (--node.mass > 0) return;
    if (parent === null) {
      this.#root = null;
      return;
    }
    const sibling = (parent.below === node ? parent.above : parent.below)!;
    this.#replace(parent, sibling);
    for (let above = sibling.parent; above !== null; above = above.parent) shrink(above);
  }

  /**
   * The expected inverse depth at which the point would be cut off, over all cuts that its insertion could make, times the depth of an even tree: about 1
   * for the ordinary, more for the odd.
   */
  score(point: Float64Array): number {
    if (this.#root === null) return 0;
    return scoreBelow(this.#root, point, { depth: 0, total: this.#root.mass }) * Math.log2(this.#root.mass + 1);
  }

  /** A random cut of the box that would hold both; null when it does not part the point from the node. */
  #cutOff(node: Node, point: Float64Array): { feature: number; at: number } | null {
    const beyond = outside(node, point);
    if (beyond === 0) return null;
    let left = this.#random.next() * (beyond + node.extent);
    for (let f = 0; f < point.length; f++) {
      const low = Math.min(node.low[f]!, point[f]!);
      const length = Math.max(node.high[f]!, point[f]!) - low;
      if (left >= length) {
        left -= length;
        continue;
      }
      const at = low + left;
      const parts = point[f]! <= at ? at < node.low[f]! : node.high[f]! <= at;
      return parts ? { feature: f, at } : null;
    }
    return null;
  }

  #split(node: Node, point: Float64Array, { feature, at }: { feature: number; at: number }): void {
    const leaf = leafOf(point);
    const isBelow = point[feature]! <= at;
    const cut: Node = {
      feature,
      at,
      low: node.low.slice(),
      high: node.high.slice(),
      extent: 0,
      mass: node.mass + 1,
      parent: null,
      below: isBelow ? leaf : node,
      above: isBelow ? node : leaf,
    };
    stretch(cut, point);
    this.#replace(node, cut);
    leaf.parent = cut;
    node.parent = cut;
  }

  #replace(old: Node, by: Node): void {
    const { parent } = old;
    by.parent = parent;
    if (parent === null) this.#root = by;
    else if (parent.below === old) parent.below = by;
    else parent.above = by;
  }
}

/** How far the point lies outside the node's box, summed over features. */
function outside({ low, high }: Node, point: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < point.length; f++) {
    if (point[f]! < low[f]!) sum += low[f]! - point[f]!;
    else if (point[f]! > high[f]!) sum += point[f]! - high[f]!;
  }
  return sum;
}

function scoreBelow(node: Node, point: Float64Array, at: { depth: number; readonly total: number }): number {
  const beyond = outside(node, point);
  const { depth, total } = at;
  if (node.feature < 0) {
    if (beyond > 0) return 1 / (depth + 1);
    return (1 - node.mass / (2 * total)) / (depth + Math.log2(node.mass + 1));
  }
  const p = beyond / (beyond + node.extent);
  at.depth++;
  return p / (depth + 1) + (1 - p) * scoreBelow(next(node, point), point, at);
}

function stretch(node: Node, point: Float64Array): void {
  const { low, high } = node;
  let extent = 0;
  for (let f = 0; f < point.length; f++) {
    if (point[f]! < low[f]!) low[f] = point[f]!;
    else if (point[f]! > high[f]!) high[f] = point[f]!;
    extent += high[f]! - low[f]!;
  }
  node.extent = extent;
}

function shrink(node: Node): void {
  const { low, high } = node;
  const below = node.below!;
  const above = node.above!;
  let extent = 0;
  for (let f = 0; f < low.length; f++) {
    low[f] = Math.min(below.low[f]!, above.low[f]!);
    high[f] = Math.max(below.high[f]!, above.high[f]!);
    extent += high[f]! - low[f]!;
  }
  node.extent = extent;
}
