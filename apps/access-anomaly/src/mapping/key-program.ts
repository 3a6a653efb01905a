import { Buffer } from 'node:buffer';
import { compilePath, pathSpellings } from './json-path.ts';
import type { Mapping } from './mapping.ts';

/** What a mapping asks of a record's keys, as a tree of byte strings that the scanner walks beside the record. */

/** An object on the way to something wanted. */
export interface KeyNode {
  readonly edges: KeyEdge[];
  /** Bit `n mod 32` is set when an edge has a key of n bytes. */
  lengths: number;
}

export interface KeyEdge {
  readonly key: Uint8Array;
  /** Number of the edge, to notice a key that comes twice. */
  readonly id: number;
  /** Number of the place that a scalar here fills; -1 for none. */
  slot: number;
  /** Filter tests that look here: a list of texts may stand here too. */
  readonly filters: { readonly test: number; readonly anyOf: readonly Uint8Array[] }[];
  /** Where a path goes on. */
  child: KeyNode | null;
}

export interface KeyProgram {
  readonly root: KeyNode;
  readonly edgeCount: number;
  /** Places of the user, best first; `empty` are the byte strings that count as none there. */
  readonly slotCount: number;
  readonly empty: readonly Uint8Array[];
  readonly filterCount: number;
}

export function compileKeyProgram(mapping: Mapping): KeyProgram {
  const root: KeyNode = { edges: [], lengths: 0 };
  let edgeCount = 0;
  const edgeAt = (spelling: readonly string[]): KeyEdge => {
    let node = root;
    let edge: KeyEdge | undefined;
    for (const text of spelling) {
      if (edge !== undefined) node = edge.child ??= { edges: [], lengths: 0 };
      const key = new Uint8Array(Buffer.from(text, 'utf8'));
      edge = node.edges.find((known) => Buffer.compare(known.key, key) === 0);
      if (edge === undefined) {
        edge = { key, id: edgeCount++, slot: -1, filters: [], child: null };
        node.edges.push(edge);
        node.lengths |= 1 << (key.length & 31);
      }
    }
    return edge!;
  };
  let slotCount = 0;
  for (const path of mapping.fields.user.paths) {
    for (const spelling of pathSpellings(compilePath(path))) {
      const edge = edgeAt(spelling);
      if (edge.slot < 0) edge.slot = slotCount++;
    }
  }
  mapping.filter.forEach(({ path, anyOf }, test) => {
    const texts = anyOf.map((text) => new Uint8Array(Buffer.from(text, 'utf8')));
    for (const spelling of pathSpellings(compilePath(path))) edgeAt(spelling).filters.push({ test, anyOf: texts });
  });
  const empty = mapping.fields.user.empty.map((text) => new Uint8Array(Buffer.from(text, 'utf8')));
  return { root, edgeCount, slotCount, empty, filterCount: mapping.filter.length };
}
