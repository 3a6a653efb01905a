import { decodeRow } from '@holdfast/processor';
import { fail } from '../simulation/failure.ts';
import type { CountingState } from './counting-job.ts';
import { unitOf } from './key-pool.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

/**
 * Each failure begins with the invariant that is broken (docs/TESTING.md) and a word for the checker, e.g. `I7 gap: …`:
 * planted bugs name those that are to see them.
 */

type Partitions = readonly (readonly string[])[];

const stateOf = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as CountingState;

/** The gap rule, at each application: every earlier record of the key is in the state, and this one isn't. */
export function checkApply(
  partitions: Partitions,
  key: string,
  state: CountingState,
  partition: number,
  offset: number,
): void {
  const has = new Set(state.applied);
  if (has.has(`${partition}/${offset}`)) fail(`I7 twice: ${partition}/${offset} of ${key} is applied again`);
  const records = partitions[partition]!;
  for (let earlier = 0; earlier < offset; earlier++) {
    const value = records[earlier]!;
    if ((value === key || value === `${key}!`) && !has.has(`${partition}/${earlier}`)) {
      fail(`I7 gap: ${partition}/${offset} of ${key} applied without ${partition}/${earlier}`);
    }
  }
}

/** A row that the store has just accepted: nothing twice, and no record before its output (PROTOCOL.md 5.3). */
export function checkRow(world: World, row: Uint8Array): void {
  for (const user of decodeRow(row).users) {
    const { applied } = stateOf(user.state);
    if (new Set(applied).size !== applied.length) fail(`I5 row: it counts twice: ${applied}`);
    for (const position of applied) {
      const [partition, offset] = position.split('/').map(Number);
      const emits = world.plan.partitions[partition!]![offset!]!.endsWith('!');
      if (emits && !world.published.has(position)) fail(`P6 row: accepted before output ${position} was`);
    }
  }
}

/** A committed offset vouches for all below it: rows in the store, dead letters published (3.4). */
export function checkCommit(world: World, partition: number, offset: number): void {
  if (world.store.generation !== world.log.leader.generation) return;
  const states = storedStates(world);
  for (let i = 0; i < offset; i++) {
    const value = world.plan.partitions[partition]![i]!;
    if (value === '-') continue;
    if (value.endsWith('?')) {
      if (!world.published.has(`dead ${partition}/${i}`)) fail(`I6 commit: past unpublished dead letter ${i}`);
      continue;
    }
    const key = value.replace('!', '');
    if (!states.get(key)?.includes(`${partition}/${i}`)) {
      fail(`I6 commit: ${offset} of ${partition}, but ${i} of ${key} is not in the store`);
    }
  }
}

/**
 * A holder has the lease of a unit ended: its last row is in the store of the generation that it knows (2.2, 5.8), though
 * that store may have lost it since it was accepted.
 */
export function checkLeaseEnd(world: World, node: SimulatedNode, hi: number, lo: number): void {
  const { generation, generationIndex } = node.table;
  if (world.store.generation !== generation || node.noticed < generationIndex) return;
  const states = storedStates(world);
  for (const key of world.plan.keys) {
    const unit = unitOf(key);
    if (unit.hi !== hi || unit.lo !== lo) continue;
    const held = node.holder!.questions.user(hi, lo, Buffer.from(key))?.user?.state as CountingState | undefined;
    const stored = new Set(states.get(key));
    const lacking = held?.applied.find((position) => !stored.has(position));
    if (lacking !== undefined) fail(`I6 lease end: the lease of ${key} is given back, but the store lacks ${lacking}`);
  }
}

/** Every record is in the store exactly once. */
export function checkEnd(world: World): void {
  const states = storedStates(world);
  world.plan.partitions.forEach((records, partition) => {
    records.forEach((value, offset) => {
      if (value === '-' || value.endsWith('?')) return;
      const n = states.get(value.replace('!', ''))?.filter((p) => p === `${partition}/${offset}`).length ?? 0;
      if (n !== 1) fail(`I5 end: ${partition}/${offset} is ${n} times in the store`);
    });
  });
}

/** All records are committed under the store's present generation. */
export function isComplete(world: World): boolean {
  const { generation } = world.log.leader;
  if (world.store.generation !== generation) return false;
  return world.plan.partitions.every((records, partition) => {
    const committed = world.committed[partition];
    return committed?.offset === records.length && committed.generation === generation;
  });
}

function storedStates(world: World): Map<string, readonly string[]> {
  const states = new Map<string, readonly string[]>();
  for (const { row } of world.store.rows.values()) {
    if (row === null) continue;
    for (const user of decodeRow(row).users) {
      states.set(Buffer.from(user.key).toString(), stateOf(user.state).applied);
    }
  }
  return states;
}
