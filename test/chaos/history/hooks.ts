import { readFileSync, writeSync } from 'node:fs';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { LmdbRaftStorage } from '@holdfast/embedded';
import { ControlPlane } from '@holdfast/engine';
import { decodeRecords, type LeaseRecordKind } from '@holdfast/lease';
import type { RaftEntry } from '@holdfast/raft';
import { GrpcPeerTransport } from '@holdfast/transport-grpc';

/** What the harness has a node do to itself, where no signal and no network can reach. */
export type HookCommand =
  /** The control thread, or each shard's, stands still. */
  | { readonly kind: 'block'; readonly thread: 'control' | 'shards'; readonly ms: number }
  /** SIGSTOP of itself, when a shard is about to write its next rows: what it writes is late when it continues. */
  | { readonly kind: 'stopAtBackup' }
  /** Each record takes so long, from now on. */
  | { readonly kind: 'slowRecords'; readonly ms: number }
  /** kill -9 of itself, at a point of the way of the next entry with such a record. */
  | { readonly kind: 'dieAt'; readonly point: DiePoint; readonly record: LeaseRecordKind }
  /** Has the leader end the leases of those of these units (hi, lo) that a node holds; nobody asks that node. */
  | { readonly kind: 'forceRelease'; readonly of: string; readonly units: readonly (readonly [number, number])[] }
  /** What the node takes for the time of day is so much off, in all its threads. */
  | { readonly kind: 'shiftClock'; readonly ms: number };

export const diePoints = ['beforeSave', 'afterSave', 'beforeSend', 'afterSend'] as const;
export type DiePoint = (typeof diePoints)[number];

const channelName = 'chaos-hooks';
const cell = new Int32Array(new SharedArrayBuffer(4));
const current = {
  recordMs: 0,
  shiftMs: 0,
  isStopping: false,
  dieAt: null as (HookCommand & { kind: 'dieAt' }) | null,
  plane: null as ControlPlane | null,
};
const askMs = 2_000;
const realNow = Date.now;

/** Into the node's own output, at once. */
function told(command: HookCommand): void {
  const where = isMainThread ? 'control' : 'shard';
  writeSync(1, `${JSON.stringify({ time: new Date(realNow()).toISOString(), msg: 'hook', where, ...command })}\n`);
}

function stand(ms: number): void {
  if (ms > 0) Atomics.wait(cell, 0, 0, ms);
}

/** For the job, once per record. */
export function delayRecord(): void {
  stand(current.recordMs);
}

/** For the store, before rows are written. */
export function beforeBackup(): void {
  if (!current.isStopping) return;
  current.isStopping = false;
  process.kill(process.pid, 'SIGSTOP');
  stand(20);
}

function shiftClock(ms: number): void {
  current.shiftMs = ms;
  Date.now = () => realNow() + current.shiftMs;
}

/** A shard's thread hears what the control thread passes on. */
export function hearHooks(): void {
  const channel = new BroadcastChannel(channelName);
  channel.onmessage = (message) => {
    const command = (message as { readonly data: HookCommand }).data;
    told(command);
    if (command.kind === 'slowRecords') current.recordMs = command.ms;
    if (command.kind === 'stopAtBackup') current.isStopping = true;
    if (command.kind === 'shiftClock') shiftClock(command.ms);
    if (command.kind === 'block') stand(command.ms);
  };
  channel.unref();
}

/** The control thread reads a command from the file at each SIGUSR2. */
export function obeyHooks(path: string): void {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  process.on('SIGUSR2', () => {
    const command = JSON.parse(readFileSync(path, 'utf8')) as HookCommand;
    told(command);
    if (command.kind === 'block' && command.thread === 'control') return stand(command.ms);
    if (command.kind === 'dieAt') current.dieAt = command;
    else if (command.kind === 'forceRelease') void forceRelease(command);
    else channel.postMessage(command);
    if (command.kind === 'shiftClock') shiftClock(command.ms);
  });
  const { start } = ControlPlane;
  ControlPlane.start = async (options) => (current.plane = await start.call(ControlPlane, options));
  const { persist } = LmdbRaftStorage.prototype;
  LmdbRaftStorage.prototype.persist = async function (this: LmdbRaftStorage, write) {
    dieIf('beforeSave', write.entries);
    await persist.call(this, write);
    dieIf('afterSave', write.entries);
  };
  const { sendRaft } = GrpcPeerTransport.prototype;
  GrpcPeerTransport.prototype.sendRaft = function (this: GrpcPeerTransport, to, messages) {
    const entries = messages.flatMap((message) => (message.type === 'append' ? message.entries : []));
    dieIf('beforeSend', entries);
    sendRaft.call(this, to, messages);
    // A moment for the socket.
    if (isDue('afterSend', entries)) setTimeout(die, 2);
  };
}

async function forceRelease({ of, units }: HookCommand & { readonly kind: 'forceRelease' }): Promise<void> {
  const { plane } = current;
  if (plane === null) return;
  const held = units.filter(([hi, lo]) => plane.table.get(hi, lo)?.nodeId === of);
  await Promise.all(held.map(([hi, lo]) => plane.admin({ kind: 'forceRelease', hi, lo }, askMs).catch(() => {})));
}

function isDue(point: DiePoint, entries: readonly RaftEntry[]): boolean {
  const { dieAt } = current;
  if (dieAt?.point !== point) return false;
  return entries.some(
    ({ kind, data }) => kind !== 'conf' && data.length > 0 && decodeRecords(data).some((r) => r.kind === dieAt.record),
  );
}

function dieIf(point: DiePoint, entries: readonly RaftEntry[]): void {
  if (isDue(point, entries)) die();
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
  stand(10_000);
}
