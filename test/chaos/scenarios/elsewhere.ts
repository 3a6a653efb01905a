/** Faults of the list that have no scenario here, and who shows them. */
export const elsewhere: Readonly<Record<string, string>> = {
  F25: "no process can lose what its kernel has: the simulator's disks, which keep what was synced and a part of the rest",
  F52: 'one version so far; test/services/kafka-conformance.test.ts runs several of Kafka',
  F56: 'packages/transport-grpc/src/tls.test.ts, test/cluster/tls.test.ts',
};
