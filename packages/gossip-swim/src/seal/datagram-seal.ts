/**
 * Protects whole datagrams: what `seal` made, `open` gives back, and nothing else passes `open`.
 * The place for encryption and authentication; both sides of a cluster must use the same kind.
 */
export interface DatagramSeal {
  /** Bytes that `seal` adds at most: the adapter leaves so much room in each datagram. */
  readonly overheadBytes: number;
  seal(datagram: Uint8Array): Uint8Array;
  /** null when the bytes were not sealed by a member, or are replayed. Never throws. */
  open(sealed: Uint8Array): Uint8Array | null;
}

/** No protection: for one machine, and for networks on which every host is trusted. */
export const nullSeal: DatagramSeal = {
  overheadBytes: 0,
  seal: (datagram) => datagram,
  open: (sealed) => sealed,
};
