/** A writer of MaxMind's format for tests: a tree over bits as text, and records of strings and numbers. */
export type Network = { readonly bits: string; readonly record: unknown };
export type MmdbOptions = {
  readonly recordBits: 24 | 28 | 32;
  readonly version: 4 | 6;
  readonly aliasOf?: [string, string];
};

type Node = [Node | number | null, Node | number | null];

export function mmdbFile(networks: readonly Network[], { recordBits, version, aliasOf }: MmdbOptions): Buffer {
  const root: Node = [null, null];
  const records: Buffer[] = [];
  let dataAt = 0;
  for (const { bits, record } of networks) {
    const encoded = encode(record);
    place(root, bits, dataAt);
    records.push(encoded);
    dataAt += encoded.length;
  }
  // Another way to the same node, as 6to4 networks lead to IPv4.
  if (aliasOf !== undefined) place(root, aliasOf[0], nodeAt(root, aliasOf[1]));
  const nodes: Node[] = [];
  number(root, nodes);
  const tree = Buffer.concat(
    nodes.map((node) => {
      const [left, right] = node.map((child) => {
        if (child === null) return nodes.length;
        return typeof child === 'number' ? nodes.length + 16 + child : nodes.indexOf(child);
      }) as [number, number];
      return pair(left, right, recordBits);
    }),
  );
  const about = encode({ node_count: nodes.length, record_size: recordBits, ip_version: version, languages: ['en'] });
  return Buffer.concat([tree, Buffer.alloc(16), ...records, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), about]);
}

function place(root: Node, bits: string, leaf: Node | number): void {
  let node = root;
  for (let i = 0; i < bits.length - 1; i++) {
    const side = Number(bits[i]) as 0 | 1;
    const next = node[side];
    if (typeof next === 'object' && next !== null) node = next;
    else {
      const made: Node = [null, null];
      node[side] = made;
      node = made;
    }
  }
  node[Number(bits.at(-1)) as 0 | 1] = leaf;
}

function nodeAt(root: Node, bits: string): Node {
  return [...bits].reduce((node, bit) => node[Number(bit) as 0 | 1] as Node, root);
}

function number(node: Node, into: Node[]): void {
  if (into.includes(node)) return;
  into.push(node);
  for (const child of node) if (typeof child === 'object' && child !== null) number(child, into);
}

function pair(left: number, right: number, bits: number): Buffer {
  const bytes = Buffer.alloc(bits / 4);
  if (bits === 28) {
    bytes.writeUIntBE(left % 2 ** 24, 0, 3);
    bytes.writeUInt8((Math.floor(left / 2 ** 24) << 4) | Math.floor(right / 2 ** 24), 3);
    bytes.writeUIntBE(right % 2 ** 24, 4, 3);
  } else {
    bytes.writeUIntBE(left, 0, bits / 8);
    bytes.writeUIntBE(right, bits / 8, bits / 8);
  }
  return bytes;
}

/** `{ pointer: n }` is a pointer to the n-th byte of the data section. */
function encode(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.concat([head(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([head(6, 4), bytes]);
  }
  if (typeof value === 'boolean') return head(14, value ? 1 : 0);
  if (Array.isArray(value)) return Buffer.concat([head(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as object);
  if (entries[0]?.[0] === 'pointer') {
    const target = entries[0][1] as number;
    return target < 2048
      ? Buffer.from([0x20 | (target >>> 8), target & 255])
      : Buffer.from([0x38, ...[24, 16, 8, 0].map((shift) => (target >>> shift) & 255)]);
  }
  return Buffer.concat([head(7, entries.length), ...entries.flatMap(([key, item]) => [encode(key), encode(item)])]);
}

function head(type: number, size: number): Buffer {
  const first = type < 8 ? type << 5 : 0;
  const extended = type < 8 ? [] : [type - 7];
  if (size < 29) return Buffer.from([first | size, ...extended]);
  return Buffer.from([first | 29, ...extended, size - 29]);
}
