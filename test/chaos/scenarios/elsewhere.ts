/** Faults of the list that have no scenario here, and who shows them. */
export const elsewhere: Readonly<Record<string, string>> = {
  F52: 'one version so far; test/services/kafka-conformance.test.ts runs several of Kafka',
  F56: 'packages/transport-grpc/src/tls.test.ts, test/cluster/tls.test.ts',
};
