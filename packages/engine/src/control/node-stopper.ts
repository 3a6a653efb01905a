import type { LeaseTable } from '@holdfast/lease';
import type { NodeId, SessionId, ShardIndex } from '@holdfast/model';
import { badRequest, type LeaderReply, ok } from './calls.ts';
import type { LeaderTerm } from './leader-term.ts';
import { nodeOfMember } from './member-id.ts';
import type { RaftDriver } from './raft-driver.ts';

interface Options {
  readonly table: LeaseTable;
  readonly driver: RaftDriver;
}

/** Stops nodes for good, one after the other where the voters need it. */
export class NodeStopper {
  readonly #options: Options;
  /** The session in which a node was told to stop. */
  readonly #toldToStop = new Map<NodeId, SessionId>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** A drained node that holds nothing any more may stop for good. Answers when it has been told. */
  async stop(term: LeaderTerm, nodeId: NodeId): Promise<LeaderReply> {
    const { table } = this.#options;
    const session = [...table.sessions()].find((info) => info.nodeId === nodeId);
    if (session === undefined) return ok;
    if (!table.isDraining(session.session)) return badRequest('it has to be drained first');
    for (let shard = 0; shard < session.shards; shard++) {
      if (table.load(session.session, shard as ShardIndex) > 0) return { code: 'RETRY', text: 'it still holds keys' };
    }
    const tooFew = this.#quorumWithout(nodeId);
    if (tooFew !== null) return tooFew;
    // Before it is told: who asks for another one meanwhile has to count this one as gone.
    this.#toldToStop.set(nodeId, session.session);
    if (await term.tellToStop(nodeId)) return ok;
    this.#toldToStop.delete(nodeId);
    return { code: 'RETRY', text: `node ${nodeId} can't be reached` };
  }

  /** Why the voters couldn't decide any more if this node stopped now; null: they could. */
  #quorumWithout(nodeId: NodeId): LeaderReply | null {
    const { conf, progress, id } = this.#options.driver.status();
    if (!conf.voters.some((member) => nodeOfMember(member) === nodeId)) return null;
    const others = conf.voters.filter((member) => nodeOfMember(member) !== nodeId);
    const active = others.filter((member) => member === id || progress.get(member)?.recentActive === true);
    const stays = active.filter((member) => !this.#isStopping(nodeOfMember(member)));
    const needed = Math.floor(conf.voters.length / 2) + 1;
    if (stays.length >= needed) return null;
    if (active.length >= needed) return { code: 'RETRY', text: 'it votes, and other voters are just being stopped' };
    return badRequest(`it votes, and only ${active.length} of the ${needed} voters needed would be left`);
  }

  /** It may vote for some seconds yet. */
  #isStopping(nodeId: NodeId): boolean {
    const session = [...this.#options.table.sessions()].find((info) => info.nodeId === nodeId);
    if (session?.closing) return true;
    const told = this.#toldToStop.get(nodeId);
    return told !== undefined && (session === undefined || session.session === told);
  }
}
