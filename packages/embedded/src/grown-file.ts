import type { FileHandle } from 'node:fs/promises';
import { EmbeddedError } from './errors.ts';
import type { FeedState } from './feed-state.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * How much of the file is passed over to go on behind what was fed: the end that the last line got since, if it had none.
 * Null when that end is only begun: there is nothing to go on with yet.
 * @throws EmbeddedError FEED_LINE_GREW
 */
export async function passedOver(
  file: FileHandle,
  path: string,
  topic: string,
  { bytes, records }: FeedState,
): Promise<number | null> {
  if (bytes === 0) return 0;
  const around = Buffer.alloc(3);
  const { bytesRead } = await file.read(around, 0, around.length, bytes - 1);
  const [last, next, afterNext] = around.subarray(0, bytesRead);
  if (last === lineFeed || next === undefined) return 0;
  if (next === lineFeed) return 1;
  if (next === carriageReturn && afterNext === undefined) return null;
  if (next === carriageReturn && afterNext === lineFeed) return 2;
  const text =
    `${path} was fed to byte ${bytes}, and its line ${records}, which ended there without LF, has grown since: its ` +
    `beginning stays in topic ${topic} as a record. To go on, feed a file of the lines from that one on ` +
    `(tail -n +${records}), which has it whole`;
  throw new EmbeddedError('FEED_LINE_GREW', text);
}
