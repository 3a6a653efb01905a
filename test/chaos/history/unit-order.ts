/** Something that was asked of the store about one unit, with what it answered. */
export interface UnitCall<T = unknown> {
  readonly startUs: number;
  /** Infinity: nobody ever heard the answer. */
  readonly endUs: number;
  readonly epoch: number;
  /** Null: a claim. */
  readonly write: { readonly seq: number; readonly row: string } | null;
  /** Null: nobody ever heard it. For a claim that was OK, the row that it found. */
  readonly answer: { readonly code: string; readonly row?: string | null } | null;
  readonly of: T;
}

/** What is there before the first call; `unknown` in a store that has taken another one's place. */
export type Beginning = 'empty' | 'unknown';

/** What a unit's row is. */
export interface StoredUnit {
  readonly epoch: number;
  readonly seq: number;
  readonly row: string | null;
}

export interface OrderedCall<T> {
  readonly call: UnitCall<T>;
  readonly atUs: number;
  readonly answer: NonNullable<UnitCall['answer']>;
}

type State = StoredUnit | null | 'unknown';

export type UnitOrder<T> =
  | {
      readonly code: 'OK';
      readonly calls: readonly OrderedCall<T>[];
      /** Found by a claim in a store of which the beginning isn't known. */
      readonly first: StoredUnit | null;
    }
  | { readonly code: 'NONE'; readonly text: string };

const stepsMax = 200_000;

/**
 * In which order a store may have done what was asked of it about a unit: each call at one moment between its question
 * and its answer, all answers and the row that is there in the end as by PROTOCOL.md 5. A call without an answer may have
 * been done or not. Without such an order, the store or its client has broken I2 or I3.
 *
 * Where the beginning isn't known anything is right until the first call that was accepted; those before it that were
 * refused are left out, since they did nothing.
 * @param last null: no row; undefined: nobody knows, since the store was lost
 */
export function orderUnitCalls<T>(
  calls: readonly UnitCall<T>[],
  last: StoredUnit | null | undefined,
  begin: Beginning = 'empty',
): UnitOrder<T> {
  const left = [...calls].sort((a, b) => a.startUs - b.startUs);
  const chosen: OrderedCall<T>[] = [];
  let steps = 0;
  let longest = 0;
  const isLast = (stored: State): boolean =>
    last === undefined ||
    stored === 'unknown' ||
    ((stored?.epoch ?? 0) === (last?.epoch ?? 0) &&
      (stored?.seq ?? 0) === (last?.seq ?? 0) &&
      (stored?.row ?? null) === (last?.row ?? null));
  const isDone = (stored: State): boolean => left.every(({ answer }) => answer === null) && isLast(stored);
  const search = (stored: State, atUs: number): boolean => {
    longest = Math.max(longest, chosen.length);
    if (isDone(stored)) return true;
    if (++steps > stepsMax) return false;
    const endUs = left.reduce((least, call) => Math.min(least, call.endUs), Number.POSITIVE_INFINITY);
    // Whoever may come next: first those that were answered, in the order of their answers.
    const next = left.filter((call) => call.startUs <= endUs).sort((a, b) => a.endUs - b.endUs);
    for (const call of next) {
      const outcome = stored === 'unknown' ? firstOf(call) : actOf(call, stored);
      if (call.answer !== null && !isSame(call.answer, outcome.answer)) continue;
      const at = left.indexOf(call);
      left.splice(at, 1);
      const nowUs = Math.max(atUs, call.startUs);
      chosen.push({ call, atUs: nowUs, answer: outcome.answer });
      if (search(outcome.stored, nowUs)) return true;
      chosen.pop();
      left.splice(at, 0, call);
    }
    return false;
  };
  if (search(begin === 'empty' ? null : 'unknown', 0)) {
    if (begin === 'empty') return { code: 'OK', calls: chosen, first: null };
    const from = chosen.findIndex(({ answer }) => answer.code === 'OK');
    const first = from < 0 ? null : foundBy(chosen[from]!);
    return { code: 'OK', calls: from < 0 ? [] : chosen.slice(from), first };
  }
  const said = calls.map(
    ({ epoch, write, answer }) => `(${epoch}, ${write?.seq ?? 'claim'}) ${answer?.code ?? 'unknown'}`,
  );
  const end = last == null ? 'nothing' : `(${last.epoch}, ${last.seq})`;
  return {
    code: 'NONE',
    text: `${calls.length} calls have no order that explains their answers and ${end} in the end: at most ${longest} fit; ${said.slice(-12).join(', ')}`,
  };
}

/** In a row that nobody knows: what was answered is what was right. */
function firstOf({ epoch, write, answer }: UnitCall): {
  readonly answer: NonNullable<UnitCall['answer']>;
  readonly stored: State;
} {
  if (answer?.code !== 'OK') return { answer: answer ?? { code: 'FENCED' }, stored: 'unknown' };
  const stored = write === null ? { epoch, seq: 0, row: answer.row ?? null } : { epoch, ...write };
  return { answer, stored };
}

/** What was there for a claim to find; its epoch is some lower one. */
function foundBy({ call, answer }: OrderedCall<unknown>): StoredUnit | null {
  return call.write === null && answer.row != null ? { epoch: call.epoch - 1, seq: 0, row: answer.row } : null;
}

function isSame(said: NonNullable<UnitCall['answer']>, right: NonNullable<UnitCall['answer']>): boolean {
  return said.code === right.code && (said.row === undefined || said.row === (right.row ?? null));
}

function actOf(
  { epoch, write }: UnitCall,
  stored: StoredUnit | null,
): { readonly answer: NonNullable<UnitCall['answer']>; readonly stored: StoredUnit | null } {
  const fenced = { answer: { code: 'FENCED' }, stored };
  if (write === null) {
    const row = stored?.row ?? null;
    if (stored === null || stored.epoch < epoch) return { answer: { code: 'OK', row }, stored: { epoch, seq: 0, row } };
    return stored.epoch === epoch && stored.seq === 0 ? { answer: { code: 'OK', row }, stored } : fenced;
  }
  const { seq, row } = write;
  if (stored !== null && stored.epoch > epoch) return fenced;
  if (stored !== null && stored.epoch === epoch && stored.seq > seq) return { answer: { code: 'STALE' }, stored };
  if (stored !== null && stored.epoch === epoch && stored.seq === seq) return { answer: { code: 'OK' }, stored };
  return { answer: { code: 'OK' }, stored: { epoch, seq, row } };
}
