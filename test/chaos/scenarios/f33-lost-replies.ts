import { freePorts } from '../../cluster/support/free-ports.ts';
import { pause } from '../../cluster/support/wait.ts';
import { RedisServer } from '../../services/redis-server.ts';
import { TcpProxy as KafkaProxy } from '../../services/support/tcp-proxy.ts';
import { TcpProxy as RedisProxy } from '../../services/tcp-proxy.ts';
import { KafkaAndRedis, type NotePid, SingleRedis } from '../harness/kafka-and-redis.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between, oneOf } from './draw.ts';

const overMs = 25_000;
const calls = ['claim', 'backup', 'mark'];

/** Redis and Kafka behind proxies: nodes and harness reach them there alone. */
class ProxiedRedis extends SingleRedis {
  readonly proxy: RedisProxy;
  readonly kafkaProxy: KafkaProxy;

  constructor(server: RedisServer, proxy: RedisProxy, kafkaProxy: KafkaProxy, notePid: NotePid) {
    super(server, `127.0.0.1:${proxy.port}`, notePid);
    this.proxy = proxy;
    this.kafkaProxy = kafkaProxy;
  }

  static async open(dir: string, notePid: NotePid, kafkaProxy: KafkaProxy): Promise<ProxiedRedis> {
    const [port] = await freePorts(1);
    const server = new RedisServer(port!, dir, { appendonly: 'yes', appendfsync: 'always' });
    const redis = new ProxiedRedis(server, await RedisProxy.start(port!), kafkaProxy, notePid);
    await redis.start();
    return redis;
  }

  override async stop(): Promise<void> {
    await this.proxy.stop();
    await this.kafkaProxy.close();
    await super.stop();
  }
}

export const lostReplies: Scenario = {
  faults: ['F33'],
  title: 'answers of Redis and Kafka are lost after the act',
  injects:
    'the answer to a claim, a row or a marker, and any answer of a broker, is cut off, several a second, under load',
  holds: 'I5, I6: the same bytes with the same seq again, and appends that are known; nothing counts twice',
  needs: [],
  deadlineMs: 150_000,
  services: async (dataDir) => {
    // Brokers name the proxy as their address: whoever asks them is sent there.
    const kafkaProxy = await KafkaProxy.start();
    return KafkaAndRedis.opening({
      openRedis: (dir, notePid) => ProxiedRedis.open(dir, notePid, kafkaProxy),
      kafka: { configs: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${kafkaProxy.port}` } },
      onOpened: async ({ kafka }) => {
        kafkaProxy.targetPort = kafka.port;
      },
    })(dataDir);
  },
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const { proxy, kafkaProxy } = KafkaAndRedis.of(fire).redisSide(ProxiedRedis);
    say(`answers are lost for ${overMs} ms`);
    let isKilled = false;
    const startMs = performance.now();
    while (performance.now() - startMs < overMs) {
      proxy.loseReplyTo(oneOf(rng, calls));
      kafkaProxy.loseNextReply();
      await pause(between(rng, 50, 500));
      if (isKilled || performance.now() - startMs < overMs / 2) continue;
      isKilled = true;
      const holder = await cluster.holder();
      say(`kill -9 ${holder.id}`);
      await holder.signal('SIGKILL');
      holder.start();
    }
    for (const call of calls) saw(`repliesLostTo ${call}`, proxy.cutsOf(call));
    saw('repliesOfKafkaLost', kafkaProxy.repliesLost);
    await cluster.whole();
  },
};
