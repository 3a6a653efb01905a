import { randomBelow } from '@holdfast/model';
import type { Actions } from './actions.ts';
import { shard0, topicId, type World } from './world.ts';

/** What may happen to the log of leases: commits, lost proposals, ends by the leader, moves of partitions. */
export function offerLeaderSteps(world: World, actions: Actions): void {
  const { log } = world;
  const { leader, proposed } = log;
  proposed.forEach((record, i) => {
    const commit = () => {
      proposed.splice(i, 1);
      world.append(record);
    };
    actions.add('commit', commit, 1, record.kind);
    if (record.kind !== 'sessionOpened') actions.addFault('dropProposal', () => proposed.splice(i, 1));
  });
  if (world.store.generation > leader.generation && !proposed.some(({ kind }) => kind === 'generationChanged')) {
    const number = leader.generation + 1;
    // Each loss is another life of the store, also if two of them are noticed late.
    const storeGeneration = `g${number}`;
    const change = { kind: 'generationChanged', storeGeneration, number, continues: true } as const;
    actions.add('generation', () => log.propose(change));
  }
  const live = [...leader.sessions()];
  world.plan.partitions.forEach((_, partition) => {
    const lease = leader.partitionLease(topicId, partition);
    for (const { session } of live) {
      const fromEpoch = (lease?.epoch ?? 0) as never;
      const grant = () =>
        world.append({ kind: 'partitionGranted', topicId, partition, session, shard: shard0, fromEpoch });
      if (lease == null) actions.add('partition', grant);
      else if (lease.session !== session) actions.addFault('movePartition', grant);
    }
  });
  for (const { session } of live) {
    actions.addFault('expire', () => world.append({ kind: 'sessionEnded', session, reason: 'expired' }));
  }
  leader.visitUnits((hi, lo) => {
    const lease = leader.get(hi, lo);
    if (lease === null) return;
    const force = () => world.append({ kind: 'forceReleased', hi, lo, epoch: lease.epoch });
    if (world.plan.forceWeight === 0) actions.addFault('force', force);
    else if (!world.healing) actions.addPlannedFault('force', world.plan.forceWeight, force);
  });
}

/** The store may lose its last writes: all of them from some moment on, or one bucket's. */
export function offerLosses(world: World, actions: Actions): void {
  const { plan, store, rng } = world;
  if (world.healing || world.lossesLeft === 0 || store.writes === 0) return;
  const lose = (bucket: number | null) => () => {
    world.lossesLeft--;
    if (plan.stepsBeforeLossMax > 0) world.faultsEndMs = world.nowMs + plan.steps;
    const most = Math.min(bucket === null ? store.writes : store.writesIn(bucket), plan.lossDepthMax);
    const count = 1 + randomBelow(rng, most);
    store.lose(count, bucket);
    world.say(`the store loses ${count} writes of ${bucket ?? 'all buckets'}`);
  };
  const touched = [...plan.buckets].filter((bucket) => store.writesIn(bucket) > 0);
  if (plan.marksBeforeLoss === 0) {
    actions.addFault('loseStore', lose(null));
    for (const bucket of touched) actions.addFault('loseBucket', lose(bucket));
    return;
  }
  if (store.marksSinceLoss < plan.marksBeforeLoss && world.nowMs < world.faultsEndMs - 100) return;
  actions.addPlannedFault('loseStore', 0.5, lose(null));
  for (const bucket of touched) actions.addPlannedFault('loseBucket', 0.5 / touched.length, lose(bucket));
}
