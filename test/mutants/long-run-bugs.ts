import type { PlantedBug } from './planted-tests.ts';

const draining = 'packages/lease/src/draining.test.ts';
const quarantine = 'packages/lease/src/quarantine.test.ts';
const teller = 'packages/engine/src/control/quarantine-teller.test.ts';
const broken = 'packages/engine/src/control/broken-requests.test.ts';
const waiting = 'packages/engine/src/shard/waiting-messages.test.ts';
const unreached = 'packages/testkit/src/unreached-holder.test.ts';
const ahead = 'packages/testkit/src/store-ahead.test.ts';
const stopped = 'packages/testkit/src/stopped-partition.test.ts';
const lag = 'packages/engine/src/shard/lag-meter.test.ts';
const holds = 'packages/processor/src/ingest/unit-holds.test.ts';
const planeEnds = 'packages/engine/src/control/control-plane-ends.test.ts';
const heldLeader = 'packages/engine/src/control/held-leader.test.ts';
const brokenAnswers = 'packages/engine/src/control/broken-answers.test.ts';

/** Bugs that cost only at a bound, after days, or between two requests at once: no simulation lasts so long. Unit tests see them. */
export const longRunBugs: readonly PlantedBug[] = [
  {
    name: 'long: a copy of a data folder with as many starts is given the session of the first',
    invariant: 'I8',
    file: 'packages/engine/src/control/table-views.ts',
    find: 'return isOwn && isAlike ?',
    replace: 'return isOwn ?',
    tests: [planeEnds],
  },
  {
    name: 'long: an answer of another node is taken as it is',
    invariant: 'I8',
    file: 'packages/engine/src/control/leader-calls.ts',
    find: 'checkedReply<T>(method, decodeJson(await this.#call(to, method, body, leftMs)))',
    replace: 'decodeJson(await this.#call(to, method, body, leftMs))',
    tests: [brokenAnswers],
    mayThrow: true,
  },
  {
    name: 'long: a node that takes itself for the leader waits for its own answer',
    invariant: 'I8',
    file: 'packages/engine/src/control/leader-calls.ts',
    find: 'await within(timers, timeoutMs, local(method, body))',
    replace: 'await within(timers, 1e9 + timeoutMs, local(method, body))',
    tests: [heldLeader],
  },
  {
    name: 'long: a leader that does not answer is asked again and again, and nobody else',
    invariant: 'I8',
    file: 'packages/engine/src/control/leader-calls.ts',
    find: 'leader === null || leader === this.#silent ?',
    replace: 'leader === null ?',
    tests: [heldLeader],
  },
  {
    name: 'long: a member counts as taken out before the log says so',
    invariant: 'I8',
    file: 'packages/engine/src/control/member-keeper.ts',
    find: 'return this.#untilGone(node, ids);',
    replace: "return { code: 'OK' };",
    tests: ['packages/engine/src/control/membership.test.ts'],
  },
  {
    name: 'raft: a configuration of before takes the place of a snapshot’s',
    invariant: 'I8',
    file: 'packages/raft/src/core.ts',
    find: 'if (this.#confs.at(-1)!.index > index) return;',
    replace: '',
    tests: ['packages/raft/src/snapshot.test.ts'],
  },
  {
    name: 'shard: one that has failed calls the job for a claim that is answered later',
    invariant: '6.2',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: 'answer === null || this.#context.stopped ||',
    replace: 'answer === null ||',
    tests: ['packages/testkit/src/failed-shard.test.ts'],
  },
  {
    name: 'shard: records that are slow to read are no progress',
    invariant: 'I8',
    file: 'packages/engine/src/shard/beating-locator.ts',
    find: 'this.#values[this.#slot]!++;',
    replace: '',
    tests: ['packages/engine/src/shard/beating-job.test.ts'],
  },
  {
    name: 'embedded store: one that has failed still says which one it is',
    invariant: 'I8',
    file: 'packages/embedded/src/lmdb-backup-store.ts',
    find: '    this.#env.refresh();\n    if (this.#env.table',
    replace: '    if (false && this.#env.table',
    tests: ['packages/embedded/src/failed-store.test.ts'],
  },
  {
    name: 'embedded: what a power cut has left of an opener holds everybody up',
    invariant: 'I8',
    file: 'packages/embedded/src/open-gate.ts',
    find: "stored === '' ? !isMarked : await",
    replace: "stored === '' ? true : await",
    tests: ['packages/embedded/src/open-gate.test.ts'],
  },
  {
    name: 'long: a drain that is on its way does not count',
    invariant: 'I8',
    file: 'packages/lease/src/coordinator.ts',
    find: '|| (info !== undefined && this.#proposals.isGoingToDrain(info.nodeId));',
    replace: '|| info === null;',
    tests: [draining],
  },
  {
    name: 'long: what is on its way into quarantine takes no room',
    invariant: 'I8',
    file: 'packages/lease/src/quarantine-decisions.ts',
    find: 'quarantinedUnitsMax - quarantine.quarantinedCount - onTheirWay;',
    replace: 'quarantinedUnitsMax - quarantine.quarantinedCount - 0 * onTheirWay;',
    tests: [quarantine],
  },
  {
    name: 'long: what could not be encoded stays on its way',
    invariant: 'I8',
    file: 'packages/engine/src/control/leader-term.ts',
    find: "const isUnproposed = !(error instanceof RaftDriverError) || error.code === 'FULL' || error.code === 'NOT_LEADER';",
    replace:
      "const isUnproposed = error instanceof RaftDriverError && (error.code === 'FULL' || error.code === 'NOT_LEADER');",
    tests: [broken],
  },
  {
    name: 'long: a session is opened with what is no text',
    invariant: 'I8',
    file: 'packages/engine/src/control/leader-desk.ts',
    find: '![uuid, version, ...addresses].every(isText)',
    replace: '![uuid].every(isText)',
    tests: [broken],
    mayThrow: true,
  },
  {
    name: 'long: equal ends of released units are kept once each',
    invariant: '6.3',
    file: 'packages/lease/src/quarantine-registry.ts',
    find: 'if (before.equals(ends)) return before;',
    replace: '',
    tests: [quarantine],
  },
  {
    name: 'long: lists of ends in a snapshot are counted from another unit on',
    invariant: '6.3',
    file: 'packages/lease/src/quarantine-codec.ts',
    find: '(number === 0 ? null : this.#lists[number - 1]!)',
    replace: '(number === 0 ? null : this.#lists[this.#lists.length - number]!)',
    tests: [quarantine],
  },
  {
    name: 'long: shards are told all of quarantine at each change',
    invariant: '6.3',
    file: 'packages/engine/src/control/quarantine-teller.ts',
    find: '.filter((unit) => !known.has(unit))',
    replace: '.filter((unit) => !known.has({ ...unit }))',
    tests: [teller],
  },
  {
    name: 'long: a shard keeps what is remembered no more',
    invariant: '6.3',
    file: 'packages/engine/src/shard/told-quarantine.ts',
    find: 'for (const { hi, lo } of gone) this.#told.delete(formatUnit(hi, lo));',
    replace: 'void gone;',
    tests: [teller, waiting],
  },
  {
    name: 'long: a shard that waits for its services gets its session before its table',
    invariant: 'I8',
    file: 'packages/engine/src/shard/waiting-messages.ts',
    find: "const keptKinds = [\n  'table',",
    replace: "const keptKinds = [\n  'session',\n  'table',",
    tests: [waiting],
  },
  {
    name: 'long: a holder is missed for ever',
    invariant: '3.5',
    file: 'packages/engine/src/shard/unreached-holders.ts',
    find: 'const ms = lastMs - sinceMs;',
    replace: 'const ms = nowMs - sinceMs;',
    tests: [unreached, 'packages/engine/src/shard/unreached-holders.test.ts'],
  },
  {
    name: 'long: a holder is forgotten while its records are read again',
    invariant: '3.5',
    file: 'packages/engine/src/shard/unreached-holders.ts',
    find: 'const forgottenAfterMs = 5_000;',
    replace: 'const forgottenAfterMs = 0;',
    tests: [unreached],
  },
  {
    name: 'long: an epoch that the log can not have given is waited for in silence',
    invariant: 'I8',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'this.awaited.raise(storedEpoch - this.#leases.epochBase(), storedEpoch);',
    replace: 'this.awaited.raise(storedEpoch - this.#leases.epochBase());',
    tests: [ahead],
  },
  {
    name: 'long: refused units are held by numbers that end the process',
    invariant: '4.3',
    file: 'packages/processor/src/ingest/unit-holds.ts',
    find: 'this.#refusals.push({ frame, units });',
    replace: 'this.#refusals.push({ frame: frame | 0, units });',
    tests: [holds],
  },
  {
    name: 'long: nobody hears of a partition that can not be read',
    invariant: 'I8',
    file: 'packages/engine/src/shard/shard-meter.ts',
    find: 'nowMs - failingSinceMs >= stoppedAfterMs',
    replace: 'nowMs - failingSinceMs < 0',
    tests: [stopped],
  },
  {
    name: 'long: a call of the store that has failed once counts as failing for ever',
    invariant: 'I8',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: "options.stats.add('storeCallsFailing', -1);",
    replace: "options.stats.add('storeCallsFailing', 0);",
    tests: [stopped],
  },
  {
    name: 'long: a record after an idle night has waited since the evening',
    invariant: 'I8',
    file: 'packages/engine/src/shard/lag-meter.ts',
    find: 'Math.min(sinceRoutedMs, nowMs - levelMs)',
    replace: 'sinceRoutedMs',
    tests: [lag],
  },
  {
    name: 'long: a partition that has gone back has no lag until it is measured again',
    invariant: 'I8',
    file: 'packages/engine/src/shard/lag-meter.ts',
    find: 'Math.min(position, reading.position)',
    replace: 'position',
    tests: [lag],
  },
];
