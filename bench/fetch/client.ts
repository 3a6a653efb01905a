import { KafkaLog } from '@holdfast/stream-kafka';
import kafkajs from 'kafkajs';
import { testEnvironment } from '../../test/services/kafka.ts';

/** Reads a topic of one partition to its end, in a process of its own, and prints what it took: `CLIENT BROKER TOPIC RECORDS`. */
const [client, broker = '', topic = '', count = '0'] = process.argv.slice(2);
const records = Number(count);
const fetchBytesMax = 1 << 20;
/** The code is compiled and the connection there before the clock runs. */
const warmUpRecords = records / 4;

export interface ClientTimes {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

class Watch {
  #startMs = 0;
  #startCpu = process.cpuUsage();
  #seen = 0;
  #from = 0;

  /** True when all have come. */
  add(count: number): boolean {
    this.#seen += count;
    if (this.#from === 0 && this.#seen >= warmUpRecords) {
      this.#from = this.#seen;
      this.#startMs = performance.now();
      this.#startCpu = process.cpuUsage();
    }
    return this.#seen >= records;
  }

  times(): ClientTimes {
    const { user, system } = process.cpuUsage(this.#startCpu);
    return {
      records: this.#seen - this.#from,
      seconds: (performance.now() - this.#startMs) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
  }
}

async function throughPort(client: 'wire' | 'kafkajs', watch: Watch): Promise<void> {
  const log = await KafkaLog.open({ brokers: [broker], client }, testEnvironment);
  const info = await log.describe(topic);
  const reader = await log.openReader(topic, { topicId: info!.topicId, partition: 0 }, 0);
  for (;;) {
    const batch = await reader.next(fetchBytesMax, 1_000);
    if (batch !== null && watch.add(batch.count)) return;
  }
}

/** As its documentation has it: the whole batch at once, nothing done with the messages. */
function plainKafkaJs(watch: Watch): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}`, maxBytesPerPartition: fetchBytesMax });
  return new Promise((resolve, reject) => {
    const run = async () => {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          if (watch.add(batch.messages.length)) resolve();
        },
      });
    };
    run().catch(reject);
  });
}

const watch = new Watch();
if (client === 'wire' || client === 'port-kafkajs') await throughPort(client === 'wire' ? 'wire' : 'kafkajs', watch);
else await plainKafkaJs(watch);
console.log(JSON.stringify(watch.times()));
process.exit(0);
