import { decodeUtf8, encodeUtf8, SeededRng } from '@holdfast/model';
import { emptyRestored, type RaftMessage, type RaftOptions, RawNode, type Ready, type Restored } from '../src/index.ts';
import { describeConf, describeEntry, describeMessage, describeProgress, describeStatus } from './describe.ts';

/** One node of a stage: its member, its disk, and the texts that it has applied. */
interface Actor {
  readonly id: string;
  readonly founders: readonly string[];
  raw: RawNode;
  disk: Restored;
  state: string[];
}

const optionNames: Readonly<Record<string, keyof RaftOptions>> = {
  appendBytes: 'appendBytesMax',
  inflight: 'inflightMessagesMax',
  inflightBytes: 'inflightBytesMax',
  uncommitted: 'uncommittedBytesMax',
  piece: 'snapshotChunkBytes',
  snapshotBytes: 'snapshotBytesMax',
  lag: 'promotionLagEntriesMax',
};

/**
 * A cluster that does what the lines of a transcript say, and tells what came of it. Nothing happens by itself: messages
 * wait on the wire until `run`, time passes by `ticks`.
 */
export class Stage {
  readonly #actors = new Map<string, Actor>();
  #options: Partial<RaftOptions> = {};
  #wire: RaftMessage[] = [];
  readonly #cut = new Set<string>();
  #lostTypes: readonly string[] = [];
  #told: string[] = [];

  /** Carries out one line. @returns what there is to tell */
  do(line: string): string[] {
    this.#told = [];
    const words = line.split(' ');
    const actor = this.#actors.get(words[0]!);
    try {
      if (actor === undefined) this.#direct(words);
      else this.#act(actor, words.slice(1));
    } catch (error) {
      // What a member must not do is part of a story too.
      if ((error as Error).name !== 'InvariantError') throw error;
      this.#tell(`broken: ${(error as Error).message}`);
    }
    return this.#told;
  }

  #tell(text: string): void {
    this.#told.push(text);
  }

  #direct([verb, ...rest]: readonly string[]): void {
    switch (verb) {
      case 'cluster': {
        const ids = rest.filter((word) => !word.includes('='));
        for (const word of rest.filter((other) => other.includes('='))) {
          const [name, value] = word.split('=') as [string, string];
          this.#options = { ...this.#options, [optionNames[name]!]: Number(value) };
        }
        for (const id of ids) this.#add(id, ids);
        return;
      }
      case 'join':
        for (const id of rest) this.#add(id, []);
        return;
      case 'cut':
        for (const id of rest) this.#cut.add(id);
        return;
      case 'heal':
        this.#cut.clear();
        return;
      case 'lose':
        this.#lostTypes = rest;
        return;
      case 'drop':
        this.#tell(`${this.#wire.length} messages are lost`);
        this.#wire = [];
        return;
      case 'tick':
        for (let i = 0; i < Number(rest[0]); i++) {
          for (const { raw } of this.#actors.values()) raw.tick();
          this.#run(false);
        }
        return;
      case 'run':
        this.#run(true);
        return;
      case 'settle':
        this.#run(false);
        return;
      case 'deliver':
        this.#run(true, Number(rest[0]));
        return;
      case 'status':
        for (const { raw } of this.#actors.values()) this.#tell(describeStatus(raw.status()));
        return;
      default:
        throw new Error(`no such line: ${verb}`);
    }
  }

  #act(actor: Actor, [verb, ...rest]: readonly string[]): void {
    const { raw } = actor;
    switch (verb) {
      case 'campaigns':
        raw.campaign();
        return;
      case 'ticks':
        for (let i = Number(rest[0] ?? 1); i > 0; i--) raw.tick();
        return;
      case 'proposes':
        for (const text of rest) this.#tellResult(raw.propose(encodeUtf8(text)));
        return;
      case 'forwards':
        this.#tellResult(raw.forwardProposal(rest[0]!, encodeUtf8(rest[0]!)));
        return;
      case 'reads':
        this.#tellResult(raw.readIndex(rest[0]!));
        return;
      case 'changes': {
        const listOf = (name: string): string[] => {
          const word = rest.find((other) => other.startsWith(`${name}=`));
          return word === undefined ? [] : word.slice(name.length + 1).split(',');
        };
        this.#tellResult(raw.proposeConfChange({ voters: listOf('voters'), learners: listOf('learners') }));
        return;
      }
      case 'transfers':
        this.#tellResult(raw.transferLeadership(rest[0]!));
        return;
      case 'unreachable':
        raw.reportUnreachable(rest[0]!);
        return;
      case 'compacts': {
        const { applied } = raw.status();
        const snapshot = raw.compact(applied, encodeUtf8(actor.state.join(' ')), Number(rest[0] ?? 0));
        if (snapshot === null) return;
        const keepAfter = snapshot.index - Number(rest[0] ?? 0);
        const entries = actor.disk.entries.filter(({ index }) => index > keepAfter);
        actor.disk = { ...actor.disk, snapshot, entries };
        this.#tell(
          `snapshot of ${snapshot.data.length} bytes at ${snapshot.term}/${snapshot.index}, ${describeConf(snapshot.conf)}`,
        );
        return;
      }
      case 'works':
        this.#work(actor, true);
        return;
      case 'restarts':
        actor.raw = this.#member(actor);
        this.#takeState(actor, actor.disk.snapshot?.data);
        return;
      case 'log':
        for (const entry of actor.disk.entries) this.#tell(describeEntry(entry));
        return;
      case 'state':
        this.#tell(actor.state.join(' '));
        return;
      case 'progress':
        for (const text of describeProgress(raw.status())) this.#tell(text);
        return;
      case 'status':
        this.#tell(describeStatus(raw.status()));
        return;
      default:
        throw new Error(`${actor.id} can't ${verb}`);
    }
  }

  #tellResult(result: { readonly ok: boolean; readonly code?: string }): void {
    if (result.ok) return;
    const { ok: _ok, code, ...facts } = result;
    this.#tell(`refused: ${code}${Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`}`);
  }

  #add(id: string, founders: readonly string[]): void {
    const actor = { id, founders, disk: emptyRestored, state: [], raw: undefined as unknown as RawNode };
    actor.raw = this.#member(actor);
    this.#actors.set(id, actor);
  }

  #member({ id, founders, disk }: Actor): RawNode {
    return new RawNode({
      electionTimeoutTicks: 10,
      heartbeatTicks: 1,
      appendBytesMax: 1000,
      inflightMessagesMax: 8,
      uncommittedBytesMax: 10_000,
      preVote: true,
      checkQuorum: true,
      ...this.#options,
      id,
      voters: founders,
      rng: new SeededRng(id.charCodeAt(0)),
      restored: disk,
    });
  }

  /** All members work, and messages arrive in the order of sending, until nothing is left to do. */
  #run(isTold: boolean, rounds = 1000): void {
    for (let round = 0; round < rounds; round++) {
      for (const actor of this.#actors.values()) this.#work(actor, isTold);
      const messages = this.#wire;
      if (messages.length === 0) return;
      this.#wire = [];
      for (const m of messages) this.#actors.get(m.to)?.raw.step(m);
    }
    if (rounds === 1000) throw new Error('it goes on for ever');
  }

  #work(actor: Actor, isTold: boolean): void {
    const { raw, id } = actor;
    while (raw.hasReady()) {
      const ready = raw.ready();
      const tell = (text: string): void => {
        if (isTold) this.#tell(text);
      };
      if (ready.softState !== null) {
        const { role, leader } = ready.softState;
        tell(`${id} is ${role}${role === 'leader' ? '' : ` of ${leader ?? 'nobody'}`} in term ${raw.status().term}`);
      }
      const send = (m: RaftMessage): void => {
        const isLost = this.#cut.has(m.from) || this.#cut.has(m.to) || this.#lostTypes.includes(m.type);
        tell(`${describeMessage(m)}${isLost ? ' (lost)' : ''}`);
        if (!isLost) this.#wire.push(m);
      };
      for (const m of ready.promptMessages) send(m);
      this.#persist(actor, ready);
      for (const entry of ready.entries) tell(`${id} stores ${describeEntry(entry)}`);
      for (const m of ready.messages) send(m);
      if (ready.snapshot !== null) {
        this.#takeState(actor, ready.snapshot.data);
        tell(`${id} restores the state at ${ready.snapshot.term}/${ready.snapshot.index}`);
      }
      for (const entry of ready.committedEntries) {
        if (entry.kind === 'data' && entry.data.length > 0) actor.state.push(decodeUtf8(entry.data)!);
        tell(`${id} applies ${describeEntry(entry)}`);
      }
      for (const { context, index } of ready.readStates) tell(`${id} may read ${context} at ${index}`);
      for (const { context, result } of ready.forwardResults) {
        tell(`${id} hears of ${context}: ${result.ok ? `at ${result.term}/${result.index}` : result.code}`);
      }
      raw.advance(ready);
    }
  }

  #persist(actor: Actor, { hardState, snapshot, entries }: Ready): void {
    const first = entries[0]?.index ?? Number.POSITIVE_INFINITY;
    const kept = snapshot !== null ? [] : actor.disk.entries.filter(({ index }) => index < first);
    actor.disk = {
      hardState: hardState ?? actor.disk.hardState,
      snapshot: snapshot ?? actor.disk.snapshot,
      entries: [...kept, ...entries],
    };
  }

  #takeState(actor: Actor, data: Uint8Array | undefined): void {
    actor.state = data === undefined || data.length === 0 ? [] : decodeUtf8(data)!.split(' ');
  }
}
