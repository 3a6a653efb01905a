import type { NodeId, SessionId, TopicId } from '@holdfast/model';
import type { ServiceName } from './service-news.ts';

/** Why a command was refused. Expected, hence returned; callers match on `code`. */
export const leaseRefusalCodes = [
  'ALREADY_FOUNDED',
  'BATCH_TOO_LARGE',
  'FORMER_GENERATION',
  'INVALID_COMMAND',
  'LAST_NODE',
  'NODE_ALIVE',
  'NODE_DRAINING',
  'NODE_ID_TAKEN',
  'NODE_UNKNOWN',
  'NO_SHARD',
  'QUARANTINE_FULL',
  'NOT_FOUNDED',
  'NOT_LEASED',
  'NOT_QUARANTINED',
  'SERVICE_AWAY',
  'SESSION_CLOSING',
  'SESSION_OVER',
  'STALE_GENERATION',
  'STALE_INCARNATION',
  'TABLE_BEHIND',
  'TABLE_FULL',
  'TOO_MANY_SHARDS',
  'TOPIC_CHANGED',
] as const;

export type LeaseRefusal =
  /** The epoch base is in the log already. */
  | { readonly code: 'ALREADY_FOUNDED'; readonly base: number }
  | { readonly code: 'BATCH_TOO_LARGE'; readonly units: number; readonly unitsMax: number }
  /** The store that answered was given up for another one, and hasn't noticed: an old master, most likely. */
  | { readonly code: 'FORMER_GENERATION'; readonly storeGeneration: string }
  /** The command can't be meant: the text says which value. A bug of the sender, or a damaged message. */
  | { readonly code: 'INVALID_COMMAND'; readonly problem: string }
  /** Nobody would be left to hold what this node holds. */
  | { readonly code: 'LAST_NODE'; readonly nodeId: NodeId }
  /** The target is to hold nothing. */
  | { readonly code: 'NODE_DRAINING'; readonly nodeId: NodeId }
  /** A node with a live session can't be forgotten. */
  | { readonly code: 'NODE_ALIVE'; readonly nodeId: NodeId; readonly session: SessionId }
  /** Another data folder runs, or ran, under this name: choose another name, or have the old one forgotten. */
  | { readonly code: 'NODE_ID_TAKEN'; readonly nodeId: NodeId }
  | { readonly code: 'NODE_UNKNOWN'; readonly nodeId: NodeId }
  /** No live shard may be given anything now: ask again later. */
  | { readonly code: 'NO_SHARD' }
  /** The cluster has no epoch base yet: ask again later. */
  | { readonly code: 'NOT_FOUNDED' }
  | { readonly code: 'NOT_LEASED' }
  | { readonly code: 'NOT_QUARANTINED' }
  /** More units are faulty than a quarantine is for: it is the job that has to be mended. */
  | { readonly code: 'QUARANTINE_FULL'; readonly unitsMax: number }
  /** Log or store don't answer the node, and answer others: it can't do its work. */
  | { readonly code: 'SERVICE_AWAY'; readonly service: ServiceName; readonly silentMs: number }
  /** The target drains or stops. */
  | { readonly code: 'SESSION_CLOSING'; readonly session: SessionId }
  /** The session has ended, or its end is on its way: its node must stop holding. */
  | { readonly code: 'SESSION_OVER'; readonly session: SessionId }
  /** The store was asked before the latest generation entry was applied: ask it again. */
  | { readonly code: 'STALE_GENERATION'; readonly number: number }
  /** The node's successor is known, or this very incarnation (then `session` is its session, 0 when that is over). */
  | {
      readonly code: 'STALE_INCARNATION';
      readonly nodeId: NodeId;
      readonly counter: number;
      readonly session: SessionId;
    }
  /** The asking node's table lacks what was committed long ago: the log doesn't reach it. */
  | { readonly code: 'TABLE_BEHIND'; readonly tableIndex: number; readonly floor: number }
  | { readonly code: 'TABLE_FULL'; readonly unitsMax: number }
  | { readonly code: 'TOO_MANY_SHARDS'; readonly shards: number; readonly shardsMax: number }
  /** The topic was deleted and made anew: an operator has to consent (`replace`), its old offsets mean nothing. */
  | { readonly code: 'TOPIC_CHANGED'; readonly topic: string; readonly known: TopicId; readonly reported: TopicId };

export type LeaseRefusalCode = (typeof leaseRefusalCodes)[number];
