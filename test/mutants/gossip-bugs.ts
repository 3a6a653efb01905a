import type { PlantedBug } from './planted-tests.ts';

const simulation = 'testkit/src/gossip/gossip-simulation.test.ts';
const stories = 'testkit/src/gossip/gossip-stories.test.ts';
const seal = 'gossip-swim/src/seal/seal.test.ts';
const hostile = 'gossip-swim/src/lifeguard/hostile-packets.test.ts';
const laws = 'membership/src/membership-view.test.ts';

/** Of the membership core or the seal. Paths below `packages`. */
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
];
