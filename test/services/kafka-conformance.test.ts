import { kafkaClients } from '@holdfast/stream-kafka';
import { logConformance } from '@holdfast/testkit';
import { waitFor } from '../cluster/support/wait.ts';
import { KafkaService } from './kafka.ts';

for (const client of kafkaClients) {
  logConformance(`Kafka, client ${client}`, async () => {
    // All other tests have the default: one MiB.
    const service = await KafkaService.start({ configs: { 'message.max.bytes': '8388608' } });
    return {
      open: () => service.open({ client }),
      deleteTopic: async (topic) => {
        const log = await service.open();
        await log.deleteTopic(topic);
        await waitFor('the topic to be gone', 10_000, async () => ((await log.describe(topic)) === null ? true : null));
        await log.close();
      },
      createLimited: async (topic, recordBytesMax) => {
        const log = await service.open();
        try {
          return await log.createKafkaTopic(topic, 1, { configs: { 'max.message.bytes': String(recordBytesMax) } });
        } finally {
          await log.close();
        }
      },
      fencesCommits: false,
      close: () => service.stop(),
    };
  });
}
