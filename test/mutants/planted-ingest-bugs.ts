import type { PlantedBug } from './planted-bugs.ts';

const ingest = 'processor/src/ingest/ingest.ts';
const readings = 'processor/src/ingest/readings.ts';
const undurableFrames = 'processor/src/ingest/undurable-frames.ts';

/** More bugs of the ingest, of its readings and of its streams, for the simulation of the records. In the order of the rules. */
export const plantedIngestBugs: readonly PlantedBug[] = [
  {
    name: 'going back to where another partition is durable',
    rule: '3.2',
    file: readings,
    find: 'const start = this.durableWatermark(reading);',
    replace:
      'const own = this.durableWatermark(reading);\n    const start = [...this].find((other) => other !== reading)?.durable ?? own;',
    caughtBy: ['ASSERT', 'I6 commit', 'I7 gap'],
  },
  {
    name: 'a batch that was read before going back is routed',
    rule: '3.2',
    file: ingest,
    find: 'return !reading.lost && reading.reading === number;',
    replace: 'return !reading.lost;',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'what one holder has reported durable counts for all',
    rule: '3.3',
    file: readings,
    find: 'for (const stream of this.#streams) least = Math.min(least, stream.leastOffset(reading));',
    replace:
      'const ofEach = [...this.#streams].map((stream) => stream.leastOffset(reading));\n    if (ofEach.length > 0) least = Math.max(reading.durable, Math.min(least, Math.max(...ofEach)));',
    caughtBy: ['ASSERT', 'I6 commit', 'I7 gap'],
  },
  {
    name: 'the end of a stream sends only that back which was not settled',
    rule: '4.1',
    file: ingest,
    find: 'if (stream.leastOffset(reading) < Number.POSITIVE_INFINITY) this',
    replace: 'if (stream.unsettled.some((sent) => sent.current && sent.partition === reading)) this',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'going back for a stream that has ended passes what went with it',
    rule: '4.1',
    file: ingest,
    find: '// It leaves the table last: the watermark must not pass what went with it.',
    replace: 'this.#streams.end(stream);',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a stream that has ended still leads to its holder',
    rule: '4.1',
    file: 'processor/src/ingest/stream-table.ts',
    find: 'this.#streams.delete(',
    replace: 'void (',
    caughtBy: ['ASSERT', 'I8 stall'],
  },
  {
    name: 'acknowledgements overtake refusals',
    rule: '4.4',
    file: ingest,
    find: 'stream.deferred.push(message);',
    replace:
      "if (message.kind === 'applied') this.pauses.settle(stream, message.frame, nowMs);\n    else stream.deferred.push(message);",
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'durable reports overtake what was returned before them',
    rule: '4.4',
    file: ingest,
    find: 'stream.deferred.push(message);',
    replace:
      "if (message.kind === 'durable') stream.deferred.unshift(message);\n    else stream.deferred.push(message);",
    caughtBy: ['I6 commit', 'I7 gap', 'I8 stall'],
  },
  {
    name: 'frames that were joined are durable with the first of them',
    rule: '5.5',
    file: undurableFrames,
    find: 'last.frame = run.frame;',
    replace: '',
    caughtBy: ['I6 commit'],
  },
  {
    name: 'of frames that were joined the offset of the last one counts',
    rule: '5.5',
    file: undurableFrames,
    find: 'Math.min(last.firstOffset, run.firstOffset)',
    replace: 'run.firstOffset',
    caughtBy: ['I6 commit'],
  },
];
