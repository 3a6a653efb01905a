import kafkajs, { type PartitionAssigner } from 'kafkajs';

const name = 'holdfast-one-partition';

/** kafkajs reads only what a group assigns to it: a private group of one member, to which this gives one partition. */
export function onePartitionAssigner(topic: string, partition: number): PartitionAssigner {
  const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
  const userData = Buffer.alloc(0);
  return () => ({
    name,
    version: 0,
    assign: async ({ members }) =>
      members.map(({ memberId }) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: 0, assignment: { [topic]: [partition] }, userData }),
      })),
    protocol: ({ topics }) => ({ name, metadata: MemberMetadata.encode({ version: 0, topics, userData }) }),
  });
}
