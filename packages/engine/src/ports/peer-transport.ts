import type { NodeId } from '@holdfast/model';
import type { RaftMessage } from '@holdfast/raft';

/**
 * Control traffic between the control threads of nodes. Raft messages may be lost, doubled and reordered across
 * reconnects, never corrupted; calls are answered at most once.
 */
export interface PeerTransport {
  /** Sets where peers are; replaces earlier addresses. Connections to other addresses are closed. */
  setPeers(addresses: ReadonlyMap<NodeId, string>): void;
  /** Queues messages for a peer; drops the oldest beyond a bound. Never throws. */
  sendRaft(to: NodeId, messages: readonly RaftMessage[]): void;
  /**
   * Asks a peer. Rejects with PeerCallError when it can't be reached (`UNREACHABLE`) or doesn't answer within `timeoutMs`
   * from now (`DEADLINE`): whether it acted is then unknown.
   */
  call(to: NodeId, method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /**
   * Opens a new connection to an address and closes it at once, whoever lives there. `refused` only when its host said
   * that nobody listens there, at each address that a name stands for; `unknown` for all other failures, and after
   * `timeoutMs`. Never rejects.
   */
  tryConnect(address: string, timeoutMs: number): Promise<'refused' | 'accepted' | 'unknown'>;
  /** Starts listening. Resolves with the address that others can reach. */
  listen(handlers: PeerHandlers): Promise<string>;
  close(): Promise<void>;
}

export interface PeerHandlers {
  onRaft(from: NodeId, messages: readonly RaftMessage[]): void;
  /** What it throws reaches the caller as PeerCallError FAILED with the text. */
  onCall(from: NodeId, method: string, body: Uint8Array): Promise<Uint8Array>;
  /** The connection to a peer failed or came back: a hint for Raft's progress. */
  onUnreachable(peer: NodeId): void;
}

export const peerCallErrorCodes = ['UNREACHABLE', 'DEADLINE', 'FAILED'] as const;

export class PeerCallError extends Error {
  override readonly name = 'PeerCallError';
  readonly code: (typeof peerCallErrorCodes)[number];
  constructor(code: (typeof peerCallErrorCodes)[number], text: string, options?: { cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}
