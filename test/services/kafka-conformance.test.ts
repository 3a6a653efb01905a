import { kafkaClients } from '@holdfast/stream-kafka';
import { logConformance } from '@holdfast/testkit';
import { waitFor } from '../cluster/support/wait.ts';
import { KafkaService } from './kafka.ts';

for (const client of kafkaClients) {
  logConformance(`Kafka, client ${client}`, async () => {
    const service = await KafkaService.start();
    return {
      open: () => service.open({ client }),
      deleteTopic: async (topic) => {
        const log = await service.open();
        await log.deleteTopic(topic);
        await waitFor('the topic to be gone', 10_000, async () => ((await log.describe(topic)) === null ? true : null));
        await log.close();
      },
      fencesCommits: false,
      close: () => service.stop(),
    };
  });
}
