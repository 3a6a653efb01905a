import { ledgerProcessor } from '@holdfast/testkit';
import { delayRecord } from './hooks.ts';
import { recordApply } from './recorder.ts';

/** The simulator's job, in a real node. */
export default ledgerProcessor(24 * 3_600_000, (key, state, partition, offset) => {
  recordApply(key, state, partition, offset);
  delayRecord();
});
