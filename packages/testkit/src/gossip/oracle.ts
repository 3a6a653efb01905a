import { isReachable, type MemberChange } from '@holdfast/membership';
import { assert } from '@holdfast/model';
import type { VirtualCluster, VirtualNode } from './virtual-cluster.ts';

/** A verdict that the truth contradicts. */
export interface FalseDeath {
  readonly atMs: number;
  readonly observer: VirtualNode;
  readonly member: VirtualNode;
  /** The member had been up, running and connected for a while: I18 is broken. */
  readonly isUnexcused: boolean;
}

/** For so long the accused must have been well for a verdict to break I18; a stall of the observer is no excuse. */
const wellForMs = 8_000;

/** Knows the truth, compares each change in each view with it, and counts what it looked at. */
export class GossipOracle {
  readonly #cluster: VirtualCluster;
  readonly falseDeaths: FalseDeath[] = [];
  readonly changes: Record<string, number> = {};
  /** When the network between all was last other than whole. */
  lastCutMs = Number.NEGATIVE_INFINITY;

  constructor(cluster: VirtualCluster) {
    this.#cluster = cluster;
    cluster.onChange = (observer, change) => this.#look(observer, change);
  }

  /** Deaths of nodes that were up and running, whoever the observer was. */
  deathsOf(member: (node: VirtualNode) => boolean): number {
    return this.falseDeaths.filter((death) => member(death.member)).length;
  }

  #look(observer: VirtualNode, change: MemberChange): void {
    this.changes[change.kind] = (this.changes[change.kind] ?? 0) + 1;
    if (!('member' in change)) return;
    const cluster = this.#cluster;
    cluster.note(`${observer.id} ${change.kind} ${change.member.id} ${change.member.incarnation}`);
    const member = cluster.node(change.member.id);
    // I19. A node's own changes come before it is noted.
    const own = Math.max(member.incarnation, member.state?.self.incarnation ?? 0);
    assert(
      change.member.incarnation <= own,
      `I19: ${observer.id} shows ${member.id} at ${change.member.incarnation}, above its own ${own}`,
    );
    if (change.kind === 'died' && member.state !== null && change.member.meta.startCounter === member.startCounter) {
      const wellSinceMs = Math.max(member.upSinceMs, member.lastStallMs, this.lastCutMs);
      const isUnexcused = cluster.nowMs - wellSinceMs > wellForMs;
      this.falseDeaths.push({ atMs: cluster.nowMs, observer, member, isUnexcused });
    }
  }

  /** I18: a false death that no stall, start or cut of the last seconds excuses. */
  unexcused(): FalseDeath | undefined {
    return this.falseDeaths.find(({ isUnexcused }) => isUnexcused);
  }

  /** I20: where a view and the truth differ; null when all agree. Tombstones may be forgotten or never learned. */
  difference(): string | null {
    for (const { id, state } of this.#cluster.nodes) {
      if (state === null) continue;
      assert(state.rumours.count <= state.options.rumoursMax, 'I21: rumours');
      assert(state.view.members.size <= state.options.membersMax, 'I21: members');
      for (const node of this.#cluster.nodes) {
        const shown = state.view.members.get(node.id);
        const isShownUp = shown?.state === 'alive';
        if (node.state === null && shown !== undefined && isReachable(shown)) {
          return `${id} shows ${node.id}, which is gone, as ${shown.state}`;
        }
        if (node.state === null) continue;
        if (!isShownUp) return `${id} shows ${node.id}, which is up, as ${shown?.state}`;
        if (shown.incarnation !== node.state.self.incarnation) return `${id} has an old word of ${node.id}`;
        if (shown.meta.version !== node.state.self.meta.version) return `${id} has an old meta of ${node.id}`;
      }
    }
    return null;
  }
}
