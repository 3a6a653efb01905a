import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KafkaService } from '../../test/services/kafka.ts';
import type { Figure } from '../run.ts';
import type { ClientTimes } from './client.ts';
import { fillTopic, recordBytes } from './records.ts';

const records = Number(process.env.HOLDFAST_BENCH_RECORDS ?? 2_000_000);
const rounds = Number(process.env.HOLDFAST_BENCH_ROUNDS ?? 3);

/** The port over our own layer, plain kafkajs beside it, and the port over kafkajs. */
const clients = ['wire', 'kafkajs', 'port-kafkajs'] as const;
type Client = (typeof clients)[number];

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/**
 * Records that lie in a real Kafka, read as fast as a client can, and only counted. The clients take turns, so that
 * what else the machine does meets all; the ratios are what to read.
 */
export async function fetchRate(): Promise<Figure[]> {
  const service = await KafkaService.start();
  try {
    const log = await service.open();
    const perMillion = new Map<string, number[]>();
    const rates = new Map<string, number[]>();
    const note = (map: Map<string, number[]>, name: string, value: number) =>
      map.set(name, [...(map.get(name) ?? []), value]);
    const measure = async (name: string, client: Client, topic: string) => {
      const args = ['--conditions=source', join(import.meta.dirname, 'client.ts'), client, service.plain[0]!, topic];
      const { stdout } = await promisify(execFile)(process.execPath, [...args, String(records)]);
      const times = JSON.parse(stdout) as ClientTimes;
      note(rates, name, times.records / times.seconds);
      note(perMillion, name, (times.cpuSeconds / times.records) * 1e6);
    };
    await fillTopic(log, 'plain', records);
    for (let round = 0; round < rounds; round++) for (const client of clients) await measure(client, client, 'plain');
    const packed = await service.open({ compression: 'lz4' });
    await fillTopic(packed, 'packed', records);
    for (let round = 0; round < rounds; round++) {
      for (const client of ['wire', 'port-kafkajs'] as const) await measure(`lz4/${client}`, client, 'packed');
    }
    await log.close();
    await packed.close();
    const figures: Figure[] = [];
    for (const name of rates.keys()) {
      figures.push({ name: `${name}/throughput`, value: median(rates.get(name)!), unit: 'records/s' });
      figures.push({ name: `${name}/cpu`, value: median(perMillion.get(name)!), unit: 'CPU-s per million records' });
    }
    const ratio = (map: Map<string, number[]>) => median(map.get('wire')!) / median(map.get('kafkajs')!);
    figures.push({ name: 'wire-to-kafkajs/throughput', value: ratio(rates), unit: 'times as many' });
    figures.push({ name: 'wire-to-kafkajs/cpu', value: ratio(perMillion), unit: 'times the CPU' });
    figures.push({ name: 'record', value: recordBytes, unit: 'bytes' });
    return figures;
  } finally {
    await service.stop();
  }
}
