import { bucketCount } from '@holdfast/model';
import type { BackupStore } from '../ports/backup-store.ts';

/** One look in so many asks all of the store; what that costs, a read of one row doesn't. */
const wholeEvery = 5;

/**
 * What a node asks the store over and over, to see whether it is there (`ServiceWatch`): one row, in another bucket each
 * time; now and then, and until all is well again, for its generation, which every part of it has to answer. A store of
 * another generation than the log's doesn't count as there: it is a master that the others have given up, or do not know.
 * @param current the generation that the log is at; '' before there is one
 */
export function storeLook(
  store: Pick<BackupStore, 'read' | 'generationId'>,
  current: () => string,
): () => Promise<void> {
  let looks = 0;
  let isWell = false;
  return async () => {
    const look = looks++;
    const isWhole = !isWell || look % wholeEvery === 0;
    isWell = false;
    if (!isWhole) await store.read({ hi: 0, lo: look % bucketCount });
    else if (!isOf(await store.generationId(), current())) {
      throw new Error("it is of another generation than the log's: another master than the one that other nodes see?");
    }
    isWell = true;
  };
}

const isOf = (generationId: string, current: string): boolean => current === '' || generationId === current;
