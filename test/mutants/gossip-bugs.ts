import type { PlantedBug } from './planted-tests.ts';

const simulation = 'testkit/src/gossip/gossip-simulation.test.ts';
const stories = 'testkit/src/gossip/gossip-stories.test.ts';
const seal = 'gossip-swim/src/seal/seal.test.ts';
const hostile = 'gossip-swim/src/lifeguard/hostile-packets.test.ts';
const laws = 'membership/src/membership-view.test.ts';
const rumours = 'membership/src/swim/rumours.test.ts';
const sync = 'membership/src/swim/sync.test.ts';
const swimState = 'membership/src/swim/swim-state.test.ts';
const seedNames = 'gossip-swim/src/seed-names.test.ts';
const names = 'engine/src/ports/host-names.test.ts';
const nameResolver = 'transport-grpc/src/name-resolver.test.ts';

/** Of the membership core, the seal, and how names lead to addresses. Paths below `packages`. */
export const gossipBugs: readonly PlantedBug[] = [
  {
    name: 'no local health: a node believes itself after a stall',
    invariant: 'I18',
    file: 'membership/src/swim/local-health.ts',
    find: 'return nowMs - this.#lastBeatMs > this.#beatMs + this.#lateMaxMs;',
    replace: 'return nowMs - this.#lastBeatMs > (this.#beatMs + this.#lateMaxMs) * 1e9;',
    tests: [stories],
  },
  {
    name: 'a death told by another is believed at once',
    invariant: 'I18',
    file: 'membership/src/swim/hear.ts',
    find: "if (claim.state !== 'dead') return false;",
    replace: "if (claim.state !== 'left') return false;",
    tests: [stories],
  },
  {
    name: 'no tie-break between claims that contradict each other',
    invariant: 'I19',
    file: 'membership/src/claim-order.ts',
    find: 'compareText(a.gossipAddress, b.gossipAddress) ||',
    replace: '',
    tests: [laws],
  },
  {
    name: 'an accuser raises the incarnation of the accused',
    invariant: 'I19',
    file: 'membership/src/swim/probe.ts',
    find: "const claim = { ...member, state: 'suspect' } as const;",
    replace: "const claim = { ...member, incarnation: member.incarnation + 1, state: 'suspect' } as const;",
    tests: [simulation],
  },
  {
    name: 'a refutation that is no higher than the accusation',
    invariant: 'I19',
    file: 'membership/src/swim/swim-state.ts',
    find: 'Math.max(this.self.incarnation, aboveIncarnation) + 1;',
    replace: 'this.self.incarnation + (aboveIncarnation > 0 ? 1 : 1);',
    tests: [stories, simulation],
  },
  {
    name: 'gossip only to the living',
    invariant: 'I20',
    file: 'membership/src/swim/sync.ts',
    find: 'for (const list of [living, dead]) {',
    replace: 'for (const list of [living, dead.slice(dead.length)]) {',
    tests: [stories],
  },
  {
    name: 'each further accuser starts the time to refute anew',
    invariant: 'I20',
    file: 'membership/src/swim/probe.ts',
    find: 'if (united === known.accusers) return;\n    state.suspicions.set(id, { ...known, accusers: united });',
    replace: 'state.suspicions.set(id, { ...known, accusers: united, sinceMs: nowMs });',
    tests: [simulation],
  },
  {
    name: 'tombstones are told without their age',
    invariant: 'I20',
    file: 'membership/src/swim/swim-state.ts',
    find: 'const ageMs = isReachable(member) ? 0 : Math.max(0, nowMs - member.sinceMs);',
    replace: 'const ageMs = isReachable(member) ? 0 : Math.max(0, 0 * nowMs);',
    tests: [stories],
  },
  {
    name: 'the queue of rumours has no bound',
    invariant: 'I21',
    file: 'membership/src/swim/rumours.ts',
    find: 'const fits = this.#byId.size < this.#countMax;',
    replace: 'const fits = this.#countMax > 0;',
    tests: ['membership/src/swim/rumours.test.ts'],
  },
  {
    name: 'the tag of a datagram is not checked',
    invariant: 'I22',
    file: 'gossip-swim/src/seal/sealed-datagrams.ts',
    find: "// The only thing it can throw: the tag doesn't match.\n      return null;",
    replace: 'return inner;',
    tests: [seal],
  },
  {
    name: 'no replay window',
    invariant: 'I22',
    file: 'gossip-swim/src/seal/replay-window.ts',
    find: 'if ((word & bit) !== 0) return false;',
    replace: '',
    tests: [seal],
  },
  {
    name: 'clusters with one key and different labels understand each other',
    invariant: 'I22',
    file: 'gossip-swim/src/seal/sealed-datagrams.ts',
    find: 'this.#label = Buffer.from(',
    replace: 'this.#label = Buffer.alloc(5) ?? Buffer.from(',
    tests: [seal],
  },
  {
    name: 'a leap of the incarnation is believed',
    invariant: 'I22',
    file: 'membership/src/swim/hear.ts',
    find: 'return startsAhead >= 0 && startsAhead <= startsMissedMax;',
    replace: 'return startsAhead <= startsMissedMax * 2;',
    tests: [hostile],
  },
  {
    name: 'a ping that was meant for another node is answered',
    invariant: 'I20',
    file: 'membership/src/swim/swim-core.ts',
    find: 'if (message.target === state.options.id) acknowledge(',
    replace: 'acknowledge(',
    tests: [hostile],
  },
  {
    name: 'a tombstone that waited to be told has grown no older',
    invariant: 'I20',
    file: 'membership/src/swim/rumours.ts',
    find: 'ageMs: news.ageMs + nowMs - putMs };',
    replace: 'ageMs: news.ageMs + 0 * (nowMs - putMs) };',
    tests: [rumours],
  },
  {
    name: 'a tombstone is told as younger than it is',
    invariant: 'I20',
    file: 'membership/src/swim/packet-codec.ts',
    find: '.varint(Math.ceil(ageMs / 1000))',
    replace: '.varint(Math.floor(ageMs / 1000))',
    tests: ['membership/src/swim/packet-codec.test.ts'],
  },
  {
    name: 'a tombstone is learned that others are about to forget',
    invariant: 'I20',
    file: 'membership/src/swim/hear.ts',
    find: 'return isKnown ? tombstoneKeepMs : tombstoneKeepMs - Math.min(forgottenWithinMs, tombstoneKeepMs / 4);',
    replace: 'return isKnown ? tombstoneKeepMs : tombstoneKeepMs - 0 * forgottenWithinMs;',
    tests: [stories],
  },
  {
    name: 'what is no news takes the place of what is told now and then',
    invariant: 'I20',
    file: 'membership/src/swim/swim-state.ts',
    find: 'const isTold = changes.length > 0 && (isNew || this.#repeats.take(nowMs));',
    replace: 'const isTold = (isNew || this.#repeats.take(nowMs)) && changes.length > 0;',
    tests: [swimState],
  },
  {
    name: 'a seed that is known by its address is a stranger by its name',
    invariant: 'I20',
    file: 'membership/src/swim/sync.ts',
    find: 'const address = state.seedAddresses.get(seed) ?? seed;',
    replace: 'const address = state.seedAddresses.get(seed.slice(seed.length)) ?? seed;',
    tests: [sync],
  },
  {
    name: 'gossip looks names up that came in a datagram',
    invariant: 'I22',
    file: 'gossip-swim/src/seed-names.ts',
    find: 'if (seed === undefined) return null;',
    replace: 'if (seed === undefined) {\n      this.#names.seek(host);\n      return null;\n    }',
    tests: [seedNames],
  },
  {
    name: 'names: no second passes between two lookups',
    invariant: 'I21',
    file: 'engine/src/ports/host-names.ts',
    find: 'if (waitMs <= 0) void',
    replace: 'if (waitMs <= lookupIntervalMs) void',
    tests: [names],
  },
  {
    name: 'names: lookups of one name run side by side',
    invariant: 'I21',
    file: 'engine/src/ports/host-names.ts',
    find: 'if (name.sought !== null) return;',
    replace: '',
    tests: [names],
  },
  {
    name: 'names: a lookup that fails takes the last good answer away',
    invariant: 'I8',
    file: 'engine/src/ports/host-names.ts',
    find: 'why = (error as { code?: string }).code ?? String(error);',
    replace: 'why = (error as { code?: string }).code ?? String(error);\n      name.addresses = [];',
    tests: [names],
  },
  {
    name: 'names: a lookup that takes its time counts as time to connect',
    invariant: 'I8',
    file: 'transport-grpc/src/name-resolver.ts',
    find: 'if (host === null || sharedNames.addressesOf(host).length > 0) start();',
    replace: 'if (host === null || sharedNames.addressesOf(host).length >= 0) start();',
    tests: [nameResolver],
  },
];
