import assert from 'node:assert/strict';
import type { Random } from '../../core/random.ts';

type Leaf = {
  readonly kind: 'leaf';
  readonly low: Float64Array;
  readonly high: Float64Array;
  mass: number;
  parent: Cut | null;
};
type Cut = {
  readonly kind: 'cut';
  readonly feature: number;
  readonly at: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
  mass: number;
  parent: Cut | null;
  below: Node;
  above: Node;
};
type Node = Leaf | Cut;

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
      this.#root = { kind: 'leaf', low: point, high: point, mass: 1, parent: null };
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
      if (node.kind === 'leaf') return;
      stretch(node, point);
      node = point[node.feature]! <= node.at ? node.below : node.above;
    }
  }

  /** The point must be in the tree. */
  remove(point: Float64Array): void {
    assert(this.#root !== null);
    let node = this.#root;
    while (node.kind === 'cut') node = point[node.feature]! <= node.at ? node.below : node.above;
    const { parent } = node;
    for (let above: Node | null = parent; above !== null; above = above.parent) above.mass--;
    if (--node.mass > 0) return;
    if (parent === null) {
      this.#root = null;
      return;
    }
    const sibling = parent.below === node ? parent.above : parent.below;
    this.#replace(parent, sibling);
    for (let above = sibling.parent; above !== null; above = above.parent) shrink(above);
  }

  /**
   * The expected inverse depth at which the point would be cut off, over all cuts that its insertion could make, times the depth of an even tree: about 1
   * for the ordinary, more for the odd.
   */
  score(point: Float64Array): number {
    if (this.#root === null) return 0;
    const path: Node[] = [];
    for (let node = this.#root; ; node = point[node.feature]! <= node.at ? node.below : node.above) {
      path.push(node);
      if (node.kind === 'leaf') break;
    }
    const total = this.#root.mass;
    let depth = path.length - 1;
    const leaf = path[depth]!;
    const same = outside(leaf, point) === 0;
    let score = same ? (1 - leaf.mass / (2 * total)) / (depth + Math.log2(leaf.mass + 1)) : 1 / (depth + 1);
    while (--depth >= 0) {
      const node = path[depth]!;
      const beyond = outside(node, point);
      const p = beyond / (beyond + extent(node));
      score = p / (depth + 1) + (1 - p) * score;
    }
    return score * Math.log2(total + 1);
  }

  /** A random cut of the box that would hold both; null when it does not part the point from the node. */
  #cutOff(node: Node, point: Float64Array): { feature: number; at: number } | null {
    const beyond = outside(node, point);
    if (beyond === 0) return null;
    let left = this.#random.next() * (beyond + extent(node));
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
    const leaf: Leaf = { kind: 'leaf', low: point, high: point, mass: 1, parent: null };
    const isBelow = point[feature]! <= at;
    const cut: Cut = {
      kind: 'cut',
      feature,
      at,
      low: node.low.slice(),
      high: node.high.slice(),
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
  for (let f = 0; f < point.length; f++) sum += Math.max(0, low[f]! - point[f]!, point[f]! - high[f]!);
  return sum;
}

function extent({ low, high }: Node): number {
  let sum = 0;
  for (let f = 0; f < low.length; f++) sum += high[f]! - low[f]!;
  return sum;
}

function stretch({ low, high }: Cut, point: Float64Array): void {
  for (let f = 0; f < point.length; f++) {
    low[f] = Math.min(low[f]!, point[f]!);
    high[f] = Math.max(high[f]!, point[f]!);
  }
}

function shrink({ low, high, below, above }: Cut): void {
  for (let f = 0; f < low.length; f++) {
    low[f] = Math.min(below.low[f]!, above.low[f]!);
    high[f] = Math.max(below.high[f]!, above.high[f]!);
  }
}
