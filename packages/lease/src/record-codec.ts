import {
  ByteFormatError,
  ByteReader,
  ByteWriter,
  leaseEpoch,
  nodeId,
  sessionId,
  shardIndex,
  topicId,
} from '@holdfast/model';
import { addressesMax, unitsPerRecordMax } from './limits.ts';
import {
  decodeCrash,
  decodeEnds,
  decodeFlag,
  decodeFrameCrash,
  encodeCrash,
  encodeEnds,
  encodeFrameCrash,
} from './quarantine-codec.ts';
import type { Incarnation, LeaseRecord, SessionEndReason } from './records.ts';

/** In logs for ever: never renumber, only append. */
const kindCodes = [
  'epochBase',
  'sessionOpened',
  'sessionClosing',
  'sessionEnded',
  'granted',
  'released',
  'moved',
  'forceReleased',
  'topicSet',
  'topicRemoved',
  'partitionGranted',
  'partitionReleased',
  'generationChanged',
  'nodeForgotten',
  'nodeDraining',
  'unitCrashed',
  'unitQuarantined',
  'quarantineLifted',
  'frameCrashed',
] as const satisfies readonly LeaseRecord['kind'][];

const reasonCodes = [
  'clean',
  'expired',
  'gone',
  'superseded',
  'storeReplaced',
] as const satisfies readonly SessionEndReason[];

/** The newest that is read. */
const formatVersion = 2;

/** Format 1 can't say that a store doesn't continue the one before: the newer one only for that, so that versions mix. */
function formatOf(records: readonly LeaseRecord[]): number {
  return records.some((record) => record.kind === 'generationChanged' && !record.continues) ? 2 : 1;
}

/** The bytes of one Raft entry. */
export function encodeRecords(records: readonly LeaseRecord[]): Uint8Array {
  const out = new ByteWriter(256);
  const version = formatOf(records);
  out.u8(version).varint(records.length);
  for (const record of records) encodeRecord(out, record, version);
  return out.finish();
}

/** Throws `ByteFormatError` on bytes that `encodeRecords` can't have made. */
export function decodeRecords(bytes: Uint8Array): LeaseRecord[] {
  const input = new ByteReader(bytes);
  const version = input.u8();
  if (version < 1 || version > formatVersion)
    throw new ByteFormatError(`lease records of format ${version}, expected ${formatVersion}`);
  const count = input.varint();
  if (count > bytes.length) throw new ByteFormatError(`${count} lease records in ${bytes.length} bytes`);
  const records: LeaseRecord[] = [];
  for (let i = 0; i < count; i++) records.push(decodeRecord(input, version));
  if (!input.atEnd) throw new ByteFormatError(`bytes after the last lease record, at ${input.position}`);
  return records;
}

function encodeRecord(out: ByteWriter, record: LeaseRecord, version: number): void {
  out.u8(kindCodes.indexOf(record.kind));
  switch (record.kind) {
    case 'epochBase':
      out.varint(record.base);
      break;
    case 'sessionOpened':
      encodeIncarnation(out, record);
      break;
    case 'sessionClosing':
      out.varint(record.session);
      break;
    case 'sessionEnded':
      out.varint(record.session).u8(reasonCodes.indexOf(record.reason));
      break;
    case 'granted':
      out.varint(record.session).varint(record.shard);
      encodeUnits(out, record.units);
      break;
    case 'released':
      encodeUnits(out, record.units);
      encodeEpochs(out, record.epochs);
      break;
    case 'moved':
      encodeUnits(out, record.units);
      encodeEpochs(out, record.fromEpochs);
      out.varint(record.toSession).varint(record.toShard);
      break;
    case 'forceReleased':
      out.u32(record.hi).u32(record.lo).varint(record.epoch);
      break;
    case 'topicSet':
      out.text(record.topic).text(record.topicId).varint(record.partitions);
      break;
    case 'topicRemoved':
      out.text(record.topicId);
      break;
    case 'partitionGranted':
      out.text(record.topicId).varint(record.partition).varint(record.session).varint(record.shard);
      out.varint(record.fromEpoch);
      break;
    case 'partitionReleased':
      out.text(record.topicId).varint(record.partition).varint(record.epoch);
      break;
    case 'generationChanged':
      out.text(record.storeGeneration).varint(record.number);
      if (version > 1) out.u8(record.continues ? 1 : 0);
      break;
    case 'nodeForgotten':
      out.text(record.nodeId);
      break;
    case 'nodeDraining':
      out.text(record.nodeId).u8(record.draining ? 1 : 0);
      break;
    case 'unitCrashed':
      encodeCrash(out, record);
      break;
    case 'frameCrashed':
      encodeFrameCrash(out, record);
      break;
    case 'unitQuarantined':
      out.u32(record.hi).u32(record.lo);
      break;
    case 'quarantineLifted':
      out.u32(record.hi).u32(record.lo);
      encodeEnds(out, record.before);
      break;
  }
}

function decodeRecord(input: ByteReader, version: number): LeaseRecord {
  const code = input.u8();
  const kind = kindCodes[code];
  switch (kind) {
    case 'epochBase':
      return { kind, base: input.varint() };
    case 'sessionOpened':
      return { kind, ...decodeIncarnation(input) };
    case 'sessionClosing':
      return { kind, session: sessionId(input.varint()) };
    case 'sessionEnded':
      return { kind, session: sessionId(input.varint()), reason: decodeReason(input) };
    case 'granted':
      return {
        kind,
        session: sessionId(input.varint()),
        shard: shardIndex(input.varint()),
        units: decodeUnits(input),
      };
    case 'released': {
      const units = decodeUnits(input);
      return { kind, units, epochs: decodeEpochs(input, units.length / 2) };
    }
    case 'moved': {
      const units = decodeUnits(input);
      const fromEpochs = decodeEpochs(input, units.length / 2);
      return { kind, units, fromEpochs, toSession: sessionId(input.varint()), toShard: shardIndex(input.varint()) };
    }
    case 'forceReleased':
      return { kind, hi: input.u32(), lo: input.u32(), epoch: leaseEpoch(input.varint()) };
    case 'topicSet':
      return { kind, topic: input.text(), topicId: topicId(input.text()), partitions: input.varint() };
    case 'topicRemoved':
      return { kind, topicId: topicId(input.text()) };
    case 'partitionGranted':
      return {
        kind,
        topicId: topicId(input.text()),
        partition: input.varint(),
        session: sessionId(input.varint()),
        shard: shardIndex(input.varint()),
        fromEpoch: leaseEpoch(input.varint()),
      };
    case 'partitionReleased':
      return {
        kind,
        topicId: topicId(input.text()),
        partition: input.varint(),
        epoch: leaseEpoch(input.varint()),
      };
    case 'generationChanged':
      return {
        kind,
        storeGeneration: input.text(),
        number: input.varint(),
        continues: version < 2 || decodeFlag(input),
      };
    case 'nodeForgotten':
      return { kind, nodeId: nodeId(input.text()) };
    case 'nodeDraining':
      return { kind, nodeId: nodeId(input.text()), draining: decodeFlag(input) };
    case 'unitCrashed':
      return decodeCrash(input);
    case 'frameCrashed':
      return decodeFrameCrash(input);
    case 'unitQuarantined':
      return { kind, hi: input.u32(), lo: input.u32() };
    case 'quarantineLifted':
      return { kind, hi: input.u32(), lo: input.u32(), before: decodeEnds(input) };
    case undefined:
      throw new ByteFormatError(`lease record of kind ${code} before byte ${input.position}`);
  }
}

/** Also part of the snapshot. */
export function encodeIncarnation(out: ByteWriter, record: Incarnation): void {
  out.text(record.nodeId).text(record.uuid).varint(record.counter).varint(record.shards);
  out.varint(record.addresses.length);
  for (const address of record.addresses) out.text(address);
  out.text(record.version);
}

export function decodeIncarnation(input: ByteReader): Incarnation {
  const node = nodeId(input.text());
  const uuid = input.text();
  const counter = input.varint();
  const shards = input.varint();
  const count = input.varint();
  if (count > addressesMax) throw new ByteFormatError(`${count} addresses before byte ${input.position}`);
  const addresses: string[] = [];
  for (let i = 0; i < count; i++) addresses.push(input.text());
  return { nodeId: node, uuid, counter, shards, addresses, version: input.text() };
}

function decodeReason(input: ByteReader): SessionEndReason {
  const code = input.u8();
  const reason = reasonCodes[code];
  if (reason === undefined) throw new ByteFormatError(`session end reason ${code} before byte ${input.position}`);
  return reason;
}

function encodeUnits(out: ByteWriter, units: Uint32Array): void {
  out.varint(units.length / 2);
  for (let i = 0; i < units.length; i++) out.u32(units[i]!);
}

function decodeUnits(input: ByteReader): Uint32Array {
  const count = input.varint();
  if (count > unitsPerRecordMax) throw new ByteFormatError(`${count} units before byte ${input.position}`);
  const units = new Uint32Array(count * 2);
  for (let i = 0; i < units.length; i++) units[i] = input.u32();
  return units;
}

function encodeEpochs(out: ByteWriter, epochs: Float64Array): void {
  for (let i = 0; i < epochs.length; i++) out.varint(epochs[i]!);
}

function decodeEpochs(input: ByteReader, count: number): Float64Array {
  const epochs = new Float64Array(count);
  for (let i = 0; i < count; i++) epochs[i] = input.varint();
  return epochs;
}
