import { z } from 'zod';
import { count, duration, hostPorts, oneOf, text, tlsSettings } from './setting-types.ts';

const urlExpected = 'redis://[user:password@]host[:port][/db], or rediss:// for TLS';
const url = z.string({ error: urlExpected }).refine(
  (given) => {
    if (!URL.canParse(given)) return false;
    const { protocol, hostname, port, pathname, search, hash } = new URL(given);
    const isWhole = /^\/?\d*$/.test(pathname) && search === '' && hash === '';
    return /^rediss?:$/.test(protocol) && hostname !== '' && port !== '0' && isWhole;
  },
  { error: urlExpected },
);

/** Settings of `store.kind: redis`. */
export const redisSchema = z.strictObject({
  url: url.optional().meta({
    description: 'a single server, redis://host:port or rediss://host:port; or redis.sentinels, or redis.cluster',
    reason: 'none: it has to be told',
    secret: true,
  }),
  sentinels: hostPorts.optional().meta({
    description: 'host:port of Sentinels, which know the master of redis.sentinelName',
    reason: 'none: a single server is the common case',
  }),
  sentinelName: text
    .optional()
    .meta({ description: 'by which Sentinels know the master', reason: 'as redis.sentinels' }),
  sentinelUsername: text
    .optional()
    .meta({ description: 'at the Sentinels themselves', reason: 'none: most ask for none' }),
  sentinelPassword: text.optional().meta({
    description: 'at the Sentinels themselves; better redis.sentinelPasswordFile',
    reason: 'none: most ask for none',
    secret: true,
  }),
  sentinelPasswordFile: text.optional().meta({
    description: 'file that holds it; read for each connection',
    reason: 'none: most ask for none',
  }),
  cluster: hostPorts.optional().meta({
    description: 'host:port of some nodes of a Redis Cluster; the others are learned from them',
    reason: 'none: a single server is the common case',
  }),
  username: text.optional().meta({
    description: 'ACL user (deploy/redis/users.acl is one with just the rights needed)',
    reason: "none: Redis' default user",
  }),
  password: text.optional().meta({
    description: 'its password; better redis.passwordFile',
    reason: 'none: as Redis itself begins',
    secret: true,
  }),
  passwordFile: text.optional().meta({
    description: 'file that holds the password; read for each connection',
    reason: 'none: as Redis itself begins',
  }),
  db: count(0, 65_535).optional().meta({ description: 'database number', reason: 'none: that of redis.url, else 0' }),
  prefix: z
    .string({ error: 'a text without { and }' })
    .regex(/^[^{}]+$/, { error: 'a text without { and }' })
    .default('holdfast:')
    .meta({
      description: 'before every key; two clusters of holdfast on one Redis need two',
      reason: 'tells whose keys they are',
    }),
  ...tlsSettings('redis', 'Redis', 'servers'),
  connectDeadline: duration.default('2m').meta({
    description: 'how long a start waits for the servers; then the node exits',
    reason: 'covers the restart of a machine; a supervisor starts the node again anyway',
  }),
  commands: oneOf(['auto', 'script']).default('auto').meta({
    description: 'functions where the servers have them, or scripts for servers that allow no functions',
    reason: 'a function survives restarts, a script is sent again after each',
  }),
});
