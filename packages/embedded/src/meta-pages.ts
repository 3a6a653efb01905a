import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { EmbeddedError } from './errors.ts';

/**
 * Where LMDB's data format 2 keeps things: a page begins with its number and the transaction that wrote it; the two meta
 * pages tell of the last two transactions, the even one in the first page. None of that has a checksum.
 */
const page = { number: 0, transaction: 8, flags: 18, lower: 20, headerBytes: 24 };
const meta = { magic: 24, version: 28, mapBytes: 40, free: 48, main: 96, lastPage: 144, transaction: 152, end: 160 };
/** Within the description of a tree: its page size (the first one's), flags, depth, counts of pages and entries, and root. */
const tree = {
  pageBytes: 0,
  flags: 4,
  depth: 6,
  branches: 8,
  leaves: 16,
  overflows: 24,
  entries: 32,
  root: 40,
  end: 48,
};
/** Within an entry of a leaf. */
const node = { valueBytes: 0, flags: 4, keyBytes: 6, key: 8 };

const magic = 0xbeefc0de;
const version = 2;
const isLeaf = 0x02;
/** The value describes a tree: a named table. */
const isTable = 0x02;
/** Above any tree of what fits a disk. */
const depthMax = 20;

interface MetaPage {
  readonly bytes: Buffer;
  readonly transaction: bigint;
  readonly lastPage: number;
}

/**
 * Whether the environment's meta pages are as LMDB leaves them, and `table`, which every transaction writes, is of the last
 * one. A flipped bit there would bring back an older state that is whole by itself, an older vote for one, or kill the
 * process; LMDB notices neither. Only for an environment that no other process has open.
 * @throws EmbeddedError CORRUPT
 */
export function checkMetaPages(file: string, table: string): void {
  const fd = openSync(file, 'r');
  try {
    const problem = problemOf(fd, table);
    if (problem !== null) throw new EmbeddedError('CORRUPT', `${file}: ${problem}`);
  } finally {
    closeSync(fd);
  }
}

/** How large the meta pages say that the file is; null when there is no valid one. */
export function saidBytes(fd: number): number | null {
  const first = read(fd, 0, meta.end);
  if (first?.readUInt32LE(meta.magic) !== magic) return null;
  const pageBytes = first.readUInt32LE(meta.free + tree.pageBytes);
  const second = read(fd, pageBytes, meta.end);
  if (second?.readUInt32LE(meta.magic) !== magic) return null;
  const lastPages = [first, second].map((bytes) => Number(bytes.readBigUInt64LE(meta.lastPage)));
  return (Math.max(...lastPages) + 1) * pageBytes;
}

function problemOf(fd: number, table: string): string | null {
  const fileBytes = fstatSync(fd).size;
  const first = read(fd, 0, meta.end);
  const pageBytes = first?.readUInt32LE(meta.free + tree.pageBytes) ?? 0;
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) return 'it has no page size';
  const second = read(fd, pageBytes, meta.end);
  if (first === null || second === null) return 'it ends within its meta pages';
  const pages = [first, second].map((bytes): MetaPage => {
    const lastPage = Number(bytes.readBigUInt64LE(meta.lastPage));
    return { bytes, transaction: bytes.readBigUInt64LE(meta.transaction), lastPage };
  });
  for (const [i, { bytes, lastPage }] of pages.entries()) {
    const problem = fieldProblem(bytes, first, lastPage, fileBytes / pageBytes);
    if (problem !== null) return `its meta page ${i} has ${problem}`;
  }
  const [even, odd] = pages as [MetaPage, MetaPage];
  const apart = even.transaction - odd.transaction;
  if (even.transaction % 2n !== 0n || (apart !== 1n && apart !== -1n)) {
    return `its meta pages are of transactions ${even.transaction} and ${odd.transaction}`;
  }
  // The pages of the last but one are still there: nothing uses them again before its meta page is overwritten.
  for (const { bytes, transaction } of [even, odd]) {
    const root = bytes.readBigUInt64LE(meta.main + tree.root);
    const stale = staleness(read(fd, Number(root) * pageBytes, pageBytes), root, transaction);
    if (stale !== null) return `the root of its tables ${stale}`;
  }
  return tableProblem(fd, pageBytes, apart === 1n ? even : odd, table);
}

/** What can't be so in one meta page, whatever was written. */
function fieldProblem(bytes: Buffer, first: Buffer, lastPage: number, filePages: number): string | null {
  if (bytes.readUInt32LE(meta.magic) !== magic) return 'another magic number';
  if (bytes.readUInt32LE(meta.version) !== version) return `format ${bytes.readUInt32LE(meta.version)}`;
  if (bytes.readUInt32LE(meta.free) !== first.readUInt32LE(meta.free)) return 'another page size';
  if (lastPage >= filePages) return `${lastPage} pages, where the file has ${Math.floor(filePages)}`;
  for (const at of [meta.free, meta.main]) {
    const root = bytes.readBigUInt64LE(at + tree.root);
    const depth = bytes.readUInt16LE(at + tree.depth);
    if (bytes.readUInt16LE(at + tree.flags) !== first.readUInt16LE(at + tree.flags)) return 'a tree of another kind';
    const isEmpty = root === 0xffffffffffffffffn;
    if (isEmpty ? depth !== 0 : depth === 0 || depth > depthMax) return `a tree of depth ${depth}`;
    if (!isEmpty && (root < 2n || root > BigInt(lastPage))) return `a tree whose root is page ${root} of ${lastPage}`;
    for (const count of [tree.branches, tree.leaves, tree.overflows]) {
      if (bytes.readBigUInt64LE(at + count) > BigInt(lastPage)) return 'a tree of more pages than there are';
    }
  }
  return null;
}

/** The main tree names the tables, and the root of `table` must be what the last transaction wrote. */
function tableProblem(fd: number, pageBytes: number, { bytes, transaction, lastPage }: MetaPage, table: string) {
  const main = read(fd, Number(bytes.readBigUInt64LE(meta.main + tree.root)) * pageBytes, pageBytes);
  const described = descriptionOf(main!, table);
  if (described === null) return `its table ${table} can't be found`;
  const root = described.readBigUInt64LE(tree.root);
  if (root < 2n || root > BigInt(lastPage)) return `the root of ${table} is page ${root} of ${lastPage}`;
  const staleTable = staleness(read(fd, Number(root) * pageBytes, pageBytes), root, transaction);
  return staleTable === null ? null : `the root of ${table} ${staleTable}`;
}

function staleness(bytes: Buffer | null, number: bigint, transaction: bigint): string | null {
  if (bytes === null) return 'is beyond its end';
  if (bytes.readBigUInt64LE(page.number) !== number) return `is page ${bytes.readBigUInt64LE(page.number)}`;
  const wroteIt = bytes.readBigUInt64LE(page.transaction);
  return wroteIt === transaction ? null : `is of transaction ${wroteIt}, and the last is ${transaction}`;
}

/** The description of a named table in a leaf of the main tree; null when it isn't there. */
function descriptionOf(leaf: Buffer, table: string): Buffer | null {
  if ((leaf.readUInt16LE(page.flags) & isLeaf) === 0) return null;
  const name = Buffer.from(table);
  const count = leaf.readUInt16LE(page.lower) / 2;
  for (let i = 0; i < count && page.headerBytes + 2 * i + 2 <= leaf.length; i++) {
    // Places count from the end of the header.
    const at = page.headerBytes + leaf.readUInt16LE(page.headerBytes + 2 * i);
    if (at + node.key > leaf.length) return null;
    const keyBytes = leaf.readUInt16LE(at + node.keyBytes);
    const value = at + node.key + keyBytes;
    // Some names are stored with a zero at their end.
    const isIt = keyBytes - name.length <= 1 && leaf.indexOf(name, at + node.key) === at + node.key;
    if (!isIt || (leaf.readUInt16LE(at + node.flags) & isTable) === 0) continue;
    if (leaf.readUInt32LE(at + node.valueBytes) < tree.end || value + tree.end > leaf.length) return null;
    return leaf.subarray(value, value + tree.end);
  }
  return null;
}

function read(fd: number, at: number, length: number): Buffer | null {
  const bytes = Buffer.alloc(length);
  return readSync(fd, bytes, 0, length, at) < length ? null : bytes;
}
