import type { BackupStore, Claim, ClaimResult, RowResult, RowWrite } from '@holdfast/engine';
import { formatUnit } from '@holdfast/model';
import { type Call, callsOf, type History } from './read-history.ts';
import { type Beginning, orderUnitCalls, type StoredUnit, type UnitCall } from './unit-order.ts';

/** What a store did to one unit, at a moment at which it can have done it. */
export type StoreStep = {
  readonly atUs: number;
  readonly thread: number;
  readonly generation: string;
  /** Infinity: nobody ever heard the answer. */
  readonly answeredUs: number;
} & (
  | { readonly kind: 'claim'; readonly claim: Claim; readonly result: ClaimResult }
  | { readonly kind: 'row'; readonly row: RowWrite; readonly result: RowResult }
);

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const base64 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('base64');

/** What the store has in the end, by unit. */
export async function storedUnits(store: Pick<BackupStore, 'scan'>): Promise<Map<string, StoredUnit>> {
  const units = new Map<string, StoredUnit>();
  for await (const { hi, lo, epoch, seq, row } of store.scan())
    units.set(formatUnit(hi, lo), { epoch, seq, row: base64(row) });
  return units;
}

/** What was done to one life of a store. */
export interface UnitOrders {
  readonly steps: readonly StoreStep[];
  /** Units that were asked of. */
  readonly touched: ReadonlySet<string>;
  /** Rows that its first claims have found, where its beginning isn't known. */
  readonly first: ReadonlyMap<string, StoredUnit>;
  /** First rows of units that weren't claimed before. */
  readonly written: ReadonlyMap<string, StoredUnit>;
  /** Last rows that were accepted. */
  readonly last: ReadonlyMap<string, StoredUnit>;
}

/**
 * Orders all that was asked of the store in one of its lives (I2, I3).
 * @param last what it has in the end; null: nobody knows, since it was lost, and only its answers count
 */
export function orderOfStore(
  history: History,
  generation: string,
  begin: Beginning,
  last: ReadonlyMap<string, StoredUnit> | null,
  report: (text: string) => void,
): UnitOrders {
  const steps: StoreStep[] = [];
  const touched = new Set<string>();
  const first = new Map<string, StoredUnit>();
  const written = new Map<string, StoredUnit>();
  const latest = new Map<string, StoredUnit>();
  for (const [unit, calls] of unitCalls(history, generation)) {
    touched.add(unit);
    const order = orderUnitCalls(calls, last === null ? undefined : (last.get(unit) ?? null), begin);
    if (order.code !== 'OK') {
      report(`I2: unit ${unit}: ${order.text}`);
      continue;
    }
    const rows = order.calls.flatMap(({ call: { epoch, write }, answer }) =>
      write !== null && answer.code === 'OK' ? [{ epoch, ...write }] : [],
    );
    if (rows.length > 0) latest.set(unit, rows.at(-1)!);
    if (rows.length > 0 && order.calls[0]!.call.write !== null) written.set(unit, rows[0]!);
    if (order.first !== null) first.set(unit, order.first);
    for (const { call, atUs, answer } of order.calls) steps.push(call.of(atUs, answer.code, answer.row ?? null));
  }
  for (const unit of begin === 'empty' ? (last?.keys() ?? []) : [])
    if (!touched.has(unit)) report(`I2: the store has unit ${unit}, which nobody wrote`);
  return { steps: steps.sort((a, b) => a.atUs - b.atUs), touched, first, written, last: latest };
}

type MakeStep = (atUs: number, code: string, row: string | null) => StoreStep;

function unitCalls(history: History, generation: string): Map<string, UnitCall<MakeStep>[]> {
  const units = new Map<string, UnitCall<MakeStep>[]>();
  const add = (hi: number, lo: number, call: UnitCall<MakeStep>): void => {
    const unit = formatUnit(hi, lo);
    const calls = units.get(unit);
    if (calls === undefined) units.set(unit, [call]);
    else calls.push(call);
  };
  for (const call of callsOf(history, 'claim').map(heard)) {
    if (call.asked.generation !== generation) continue;
    for (const [i, [hi, lo, epoch]] of call.asked.claims.entries()) {
      const said = call.done?.results[i];
      const answer = said === undefined ? null : said[0] === 'OK' ? { code: 'OK', row: said[1] } : { code: said[0] };
      const { thread, asked, endUs } = call;
      const of: MakeStep = (atUs, code, row) => ({
        kind: 'claim',
        atUs,
        thread,
        generation,
        answeredUs: endUs,
        claim: { hi, lo, epoch },
        result:
          code === 'OK'
            ? { code, row: row === null ? null : bytesOf(row), markers: [] }
            : { code: 'FENCED', epoch: said?.[0] === 'FENCED' ? said[1] : Number.NaN },
      });
      add(hi, lo, { startUs: asked.t, endUs, epoch, write: null, answer, of });
    }
  }
  for (const call of callsOf(history, 'backup').map(heard)) {
    if (call.asked.generation !== generation) continue;
    for (const [i, [hi, lo, epoch, seq, row]] of call.asked.rows.entries()) {
      const said = call.done?.results[i];
      const { thread, asked, endUs } = call;
      const of: MakeStep = (atUs, code) => ({
        kind: 'row',
        atUs,
        thread,
        generation,
        answeredUs: endUs,
        row: { hi, lo, epoch, seq, row: bytesOf(row), savedUnixMs: 0 },
        result: code === 'FENCED' ? { code, epoch: Number.NaN } : { code: code as 'OK' | 'STALE' },
      });
      const answer = said === undefined ? null : { code: said[0] };
      add(hi, lo, { startUs: asked.t, endUs, epoch, write: { seq, row }, answer, of });
    }
  }
  return units;
}

/**
 * A call that was refused for its generation may have been carried out in a part, or as a whole, when the store noticed
 * that its life had changed: nobody has heard what became of it.
 */
function heard<C extends Call<'claim'> | Call<'backup'>>(call: C): C {
  return call.done?.code === 'GENERATION' ? { ...call, done: null, endUs: Number.POSITIVE_INFINITY } : call;
}
