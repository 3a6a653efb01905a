import { type Rng, randomBelow } from '@holdfast/model';
import type { LeaseRecord } from './records.ts';
import { idOf, type SlowTwin } from './slow-twin.test.ts';

/** Few distinct homes, so that probes meet; among them the all-zero and the all-ones unit. */
export function randomUnit(rng: Rng, distinct: number): [number, number] {
  const n = randomBelow(rng, distinct);
  if (n === 0) return [0, 0];
  if (n === 1) return [0xffff_ffff, 0xffff_ffff];
  return [Math.imul(n & 31, 0x9e37_79b9) >>> 0, (n * 0x0100_0193) >>> 0];
}

/** A record that may well be void: sessions, epochs and numbers are taken from the twin most of the time. */
export function randomRecord(rng: Rng, twin: SlowTwin, distinct: number): LeaseRecord {
  const pick = <T>(list: readonly T[]): T | undefined => list[randomBelow(rng, Math.max(1, list.length))];
  const session = () =>
    (randomBelow(rng, 12) === 0 ? randomBelow(rng, 100) : (pick([...twin.sessions.keys()]) ?? 1)) as never;
  const shard = () => randomBelow(rng, 4) as never;
  const epochOf = (lease: { readonly epoch: number } | null | undefined) =>
    (lease && randomBelow(rng, 8) > 0
      ? lease.epoch
      : randomBelow(rng, 3) === 0
        ? 0
        : twin.base + randomBelow(rng, 300)) as never;
  const units = (count: number) => {
    const out = new Uint32Array(count * 2);
    for (let i = 0; i < count; i++) out.set(randomUnit(rng, distinct), 2 * i);
    return out;
  };
  const epochsOf = (list: Uint32Array) => {
    const out = new Float64Array(list.length / 2);
    for (let i = 0; i < out.length; i++)
      out[i] = Math.max(0, epochOf(twin.units.get(idOf(list[2 * i]!, list[2 * i + 1]!))));
    return out;
  };
  const topicId = (pick([...twin.topics.keys()]) ?? 't0') as never;
  const partition = randomBelow(rng, 5);
  const partitionEpoch = () => Math.max(0, epochOf(twin.topics.get(topicId)?.leases[partition])) as never;
  const dice = randomBelow(rng, 100);
  if (dice < 8) {
    const nodeId = `n${randomBelow(rng, 5)}` as never;
    const uuid = `u-${nodeId}-${randomBelow(rng, 10) === 0 ? 1 : 0}`;
    const counter = (twin.nodes.get(nodeId)?.counter ?? 0) + randomBelow(rng, 3);
    return {
      kind: 'sessionOpened',
      nodeId,
      uuid,
      counter,
      shards: randomBelow(rng, 5),
      addresses: ['a:1', 'b:2'],
      version: '1',
    };
  }
  if (dice < 10) return { kind: 'sessionClosing', session: session() };
  if (dice < 14) {
    return { kind: 'sessionEnded', session: session(), reason: pick(['clean', 'expired', 'gone'] as const)! };
  }
  if (dice < 44)
    return { kind: 'granted', session: session(), shard: shard(), units: units(randomBelow(rng, distinct / 4)) };
  if (dice < 58) {
    const list = units(randomBelow(rng, distinct / 8));
    return { kind: 'released', units: list, epochs: epochsOf(list) };
  }
  if (dice < 70) {
    const list = units(randomBelow(rng, distinct / 8));
    return { kind: 'moved', units: list, fromEpochs: epochsOf(list), toSession: session(), toShard: shard() };
  }
  if (dice === 73) return randomQuarantine(rng, distinct);
  if (dice < 74) {
    const [hi, lo] = randomUnit(rng, distinct);
    return { kind: 'forceReleased', hi, lo, epoch: epochOf(twin.units.get(idOf(hi, lo))) };
  }
  if (dice < 79) {
    const topic = `topic${randomBelow(rng, 3)}`;
    return { kind: 'topicSet', topic, topicId: `t${randomBelow(rng, 5)}` as never, partitions: randomBelow(rng, 6) };
  }
  if (dice < 80) return { kind: 'topicRemoved', topicId };
  if (dice < 90) {
    return {
      kind: 'partitionGranted',
      topicId,
      partition,
      session: session(),
      shard: shard(),
      fromEpoch: partitionEpoch(),
    };
  }
  if (dice < 93) return { kind: 'partitionReleased', topicId, partition, epoch: partitionEpoch() };
  if (dice < 96)
    return {
      kind: 'generationChanged',
      storeGeneration: `g${dice}`,
      number: twin.generation + randomBelow(rng, 3),
      continues: randomBelow(rng, 2) === 0,
    };
  const nodeId = `n${randomBelow(rng, 5)}` as never;
  if (dice < 97) return { kind: 'nodeForgotten', nodeId };
  if (dice < 99) return { kind: 'nodeDraining', nodeId, draining: randomBelow(rng, 2) === 0 };
  return { kind: 'epochBase', base: randomBelow(rng, 1000) };
}

function randomQuarantine(rng: Rng, distinct: number): LeaseRecord {
  const [hi, lo] = randomUnit(rng, Math.min(distinct, 6));
  const position = { topicId: 't0' as never, partition: randomBelow(rng, 2), offset: randomBelow(rng, 3) };
  const dice = randomBelow(rng, 7);
  if (dice < 4) {
    const nodeId = `n${randomBelow(rng, 3)}` as never;
    return { kind: 'unitCrashed', hi, lo, ...position, nodeId, counter: 1 + randomBelow(rng, 4) };
  }
  if (dice === 4) return { kind: 'unitQuarantined', hi, lo };
  if (dice === 5) {
    const { offset: first, ...partition } = position;
    const nodeId = `n${randomBelow(rng, 3)}` as never;
    const range = { first, last: first + randomBelow(rng, 2) };
    return { kind: 'frameCrashed', ...partition, ...range, nodeId, counter: 1 + randomBelow(rng, 4) };
  }
  return { kind: 'quarantineLifted', hi, lo, before: [position] };
}
