import type { PlantedBug } from './planted-tests.ts';

const fn = 'packages/backup-redis/src/store-function.ts';
const calls = 'packages/backup-redis/src/store-calls.ts';
const conformance = ['test/services/redis-standalone.test.ts'];
const faults = ['test/services/redis-faults.test.ts'];
const failover = ['test/services/redis-failover.test.ts'];
const groups = ['test/services/redis-groups.test.ts'];
const replicas = ['test/services/redis-replicas.test.ts'];
const edges = ['test/services/redis-edges.test.ts'];

export const redisBugs: readonly PlantedBug[] = [
  {
    name: 'the store ignores the epoch',
    invariant: 'I2',
    file: fn,
    find: 'if storedEpoch and storedEpoch > epoch then',
    replace: 'if false then',
    tests: conformance,
  },
  {
    name: 'an equal seq overwrites',
    invariant: 'I2',
    file: fn,
    find: 'elseif not (storedEpoch and storedEpoch == epoch and storedSeq == seq) then',
    replace: 'else',
    tests: conformance,
  },
  {
    name: 'a row is written over what can not be read',
    invariant: 'I2',
    file: fn,
    find: 'if problem then\n      answer[i] = {problem}\n    elseif',
    replace: 'if',
    tests: conformance,
  },
  {
    name: 'a stale seq is taken',
    invariant: 'I2',
    file: fn,
    find: 'storedEpoch == epoch and storedSeq > seq then',
    replace: 'storedEpoch == epoch and storedSeq > seq + 1 then',
    tests: conformance,
  },
  {
    name: 'a claim passes for a repeat after its own backup',
    invariant: 'I2',
    file: fn,
    find: 'storedEpoch == epoch and storedSeq > 0)',
    replace: 'false)',
    tests: conformance,
  },
  {
    name: 'a claim raises nothing',
    invariant: 'I3',
    file: fn,
    find: 'if storedEpoch ~= epoch then',
    replace: 'if not storedEpoch then',
    tests: conformance,
  },
  {
    name: 'without its function the store is written to all the same',
    invariant: 'I2',
    file: 'packages/backup-redis/src/server-function.ts',
    find: 'return this.#client.callBuffer(command, name, keys.length, ...keys, ...args);',
    replace: `return this.#client.callBuffer(command, name, keys.length, ...keys, ...args).catch(async (error) => {
      if (args[0] !== 'backup') throw error;
      const answers: unknown[] = [1];
      for (let i = 0; i < keys.length; i += 2) {
        const request = args[i + 2] as Buffer;
        const codes: number[] = [];
        for (let at = 0; at < request.length; ) {
          const end = at + 12 + request.readUInt32LE(at + 8);
          await this.#client.hset(keys[i]!, request.subarray(at, at + 8) as never, request.subarray(at + 12, end));
          codes.push(0);
          at = end;
        }
        answers.push(codes);
      }
      return answers;
    });`,
    tests: faults,
  },
  {
    name: 'buckets without a marker are passed over',
    invariant: 'I6',
    file: fn,
    find: "return redis.call('HGET', markers, request) or '0', {}",
    replace: "return redis.call('HGET', markers, request) or '9007199254740991', {}",
    tests: conformance,
  },
  {
    name: 'markers fall',
    invariant: 'I6',
    file: fn,
    find: 'if not old or offsetOf(old, partition) < tonumber(offset) then',
    replace: 'if true then',
    tests: conformance,
  },
  {
    name: 'a call does not check the life',
    invariant: 'I4',
    file: fn,
    find: "return id and id .. ' ' .. replid .. ' ' .. kept == life and replid == now",
    replace: 'return true',
    tests: faults,
  },
  {
    name: 'a call does not look at the history: a failover passes unseen',
    invariant: 'I6',
    file: fn,
    find: "return string.match(info, 'master_replid:(%x+)') or '-', string",
    replace: "return 'a', string",
    tests: failover,
  },
  {
    name: 'every restart keeps the life',
    invariant: 'I6',
    file: fn,
    find: "kept ~= '0' and keeps ~= '0' and string.match(before, '^0+$'))",
    replace: 'true)',
    tests: faults,
  },
  {
    name: 'a replica that is started as a master passes for a restart',
    invariant: 'I6',
    file: fn,
    find: "local keeps = copied and '0' or args[2]",
    replace: 'local keeps = args[2]',
    tests: replicas,
  },
  {
    name: 'a replica that is gone again has copied nothing',
    invariant: 'I6',
    file: fn,
    find: "string.find(info, 'repl_backlog_active:0', 1, true)",
    replace: 'true',
    tests: replicas,
  },
  {
    name: 'a life that replicas have copied as kept goes on',
    invariant: 'I6',
    file: fn,
    find: "if id and kept ~= '0' and keeps == '0' then goesOn = false end",
    replace: "if not copied and id and kept ~= '0' and keeps == '0' then goesOn = false end",
    tests: replicas,
  },
  {
    name: 'what was not kept once counts as kept',
    invariant: 'I6',
    file: fn,
    find: "kept ~= '0' and keeps ~= '0' and string",
    replace: "keeps ~= '0' and string",
    tests: faults,
  },
  {
    name: 'markers outlive their rows',
    invariant: 'I6',
    file: fn,
    find: "if not id and not holdsUnit(rows) then redis.call('DEL', markers) end",
    replace: '',
    tests: faults,
  },
  {
    name: 'a function that was flushed is not loaded again',
    invariant: 'I8',
    file: calls,
    find: "if (remedy === 'reload') remedy = await this.#reload();",
    replace: '',
    tests: faults,
  },
  {
    name: 'a call is given up after one try',
    invariant: 'I8',
    file: calls,
    find: 'if (deadline.passed) throw',
    replace: 'throw',
    tests: faults,
  },
  {
    name: 'a client that has ended stays so',
    invariant: 'I8',
    file: calls,
    find: "client.on('end', () => setTimeout(() => this.#revive(), reviveMs).unref());",
    replace: '',
    tests: failover,
  },
  {
    name: 'a store that others wrote to continues any other',
    invariant: 'I6',
    file: fn,
    find: 'continues = continues or notedId == current',
    replace: 'continues = true',
    tests: failover,
  },
  {
    name: 'a file that is no longer written to goes on with its life later',
    invariant: 'I6',
    file: fn,
    find: "if id and kept ~= '0' and keeps == '0' then goesOn = false end",
    replace: "if copied and id and kept ~= '0' then goesOn = false end",
    tests: faults,
  },
  {
    name: 'a redirection to a server that is away ends the process',
    invariant: 'I8',
    file: 'packages/backup-redis/src/client.ts',
    find: 'answer.catch(() => undefined);',
    replace: '',
    tests: failover,
  },
  {
    name: 'another way of keeping is the same life to who has looked before',
    invariant: 'I6',
    file: fn,
    find: "answers[#answers + 1] = id .. ' ' .. now .. ' ' .. keepsNow",
    replace:
      "answers[#answers + 1] = id .. ' ' .. now .. ' ' .. (redis.call('HSET', rows, 'g', id .. ' ' .. now .. ' 1') and '1')",
    tests: edges,
  },
  {
    name: 'a life goes on by what was seen of the server before it restarted',
    invariant: 'I6',
    file: fn,
    find: "if args[3] ~= '-' and args[3] ~= now then return {0} end",
    replace: '',
    tests: edges,
  },
  {
    name: 'a stored marker is whatever it can be read as',
    invariant: 'I6',
    file: 'packages/backup-redis/src/replies.ts',
    find: '/^\\d+$/.test(text) ? Number(text) : Number.NaN',
    replace: 'Math.min(Number(text) || 0, 2 ** 53 - 1)',
    tests: edges,
  },
  {
    name: 'rows lose their markers with a life that can not be read',
    invariant: 'I6',
    file: fn,
    find: 'if not id and not holdsUnit(rows) then',
    replace: 'if not id then',
    tests: edges,
  },
  {
    name: 'an epoch that is no exact number counts',
    invariant: 'I3',
    file: fn,
    find: "if epoch < 0 or epoch > exactMax or seq < 0 or seq > exactMax then is = 'is damaged' end",
    replace: '',
    tests: edges,
  },
  {
    name: 'what came too late stays ahead of what is asked for now',
    invariant: 'I8',
    file: calls,
    find: 'if (isTimedOut(error)) this.#cut();',
    replace: '',
    tests: edges,
  },
  {
    name: 'claims of many large rows have the time of one',
    invariant: 'I8',
    file: 'packages/backup-redis/src/redis-backup-store.ts',
    find: 'const claimsPerCallMax = 32;',
    replace: 'const claimsPerCallMax = 500;',
    tests: edges,
  },
  {
    name: 'a Cluster is looked at for ever, also when it is closed',
    invariant: 'I8',
    file: 'packages/backup-redis/src/client.ts',
    find: 'slotsRefreshInterval: 0,',
    replace: 'slotsRefreshInterval: 5_000,',
    tests: groups,
  },
  {
    name: 'a changed password is taken at the next start alone',
    invariant: 'I8',
    file: 'packages/backup-redis/src/renewed.ts',
    find: 'this.#good = value;',
    replace: '',
    tests: ['test/services/redis-renewal.test.ts'],
  },
  {
    name: 'servers of a Cluster are connected to with the password of the start',
    invariant: 'I8',
    file: 'packages/backup-redis/src/client.ts',
    find: 'minded(client);\n    readAnew(client.options, { password, tls: certificates });',
    replace: 'minded(client);',
    tests: ['test/services/redis-renewal.test.ts'],
  },
];
