import { SeededRng } from '@holdfast/model';
import type { KafkaLog } from '@holdfast/stream-kafka';

/** Bytes of a record's value, as of an access log's line. */
export const recordBytes = 230;
/** Records per append: about what a busy producer puts in a batch. */
const appendRecords = 2_000;
const users = 20_000;
const digitsOfUser = 6;

/** JSON lines of one length: a user, and filler that does not compress to nothing. */
export async function fillTopic(log: KafkaLog, topic: string, records: number): Promise<void> {
  await log.createTopic(topic, 1);
  const rng = new SeededRng(7);
  for (let done = 0; done < records; done += appendRecords) {
    const batch = Array.from({ length: Math.min(appendRecords, records - done) }, (_, i) => {
      const user = String(Math.floor((rng.u32() / 2 ** 32) * users)).padStart(digitsOfUser, '0');
      const head = `{"user":"u${user}","n":${done + i},"path":"/some/page","text":"`;
      let filler = '';
      while (head.length + filler.length + 2 < recordBytes) filler += rng.u32().toString(36);
      return { key: null, value: Buffer.from(`${head}${filler.slice(0, recordBytes - head.length - 2)}"}`) };
    });
    await log.append(topic, 0, batch);
  }
}
