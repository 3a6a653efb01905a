/** A mistake that somebody might make, and the planted bugs that are it; or why it can't be made here, and where that is so. */
export interface RequiredMistake {
  /** Rule of docs/PROTOCOL.md, or invariant, that it breaks. */
  readonly rule: string;
  readonly mistake: string;
  /** Names of planted bugs: each list says what has to see its bugs. */
  readonly bugs: readonly string[];
  readonly cannotBe?: { readonly why: string; readonly file: string };
}

/** Of the ownership and record protocol: what the list at the end of docs/PROTOCOL.md names, rule after rule. */
const ofTheProtocol: readonly RequiredMistake[] = [
  {
    rule: '1',
    mistake: 'a shard is made anew under a session that lives on',
    bugs: ['control: shards made anew under a live session'],
  },
  { rule: '2.1', mistake: 'a unit is granted though another session holds it', bugs: ['a grant over a live lease'] },
  {
    rule: '2.2',
    mistake: 'a unit takes records while its release is under way',
    bugs: ['an end by release while the unit is open', 'cluster: an end by release while the unit is open'],
  },
  {
    rule: '3.1',
    mistake: 'reading begins at an offset that was committed over a store since lost',
    bugs: ['cluster: the committed offset of an older generation is where reading begins'],
  },
  {
    rule: '3.1',
    mistake: 'reading begins before the table shows what the start rests on',
    bugs: ['start: reading begins before the table shows what its start rests on'],
  },
  {
    rule: '3.2',
    mistake: 'records are routed before the ingest has gone back for an end that the table shows',
    bugs: ['routing does not look for ends', 'a batch that was read before going back is routed', 'no going back'],
  },
  {
    rule: '3.2',
    mistake: 'a partition goes back to an offset of another one',
    bugs: ['going back to where another partition is durable'],
  },
  {
    rule: '4.1',
    mistake: 'a unit’s records go to its next holder while earlier ones are unsettled at the one before',
    bugs: [
      'routing to a new holder before frames to the old one are settled',
      'routing to a new holder before frames under construction for the old one are settled',
    ],
  },
  {
    rule: '4.2',
    mistake: 'a holder takes records that were routed before its own grant',
    bugs: ['accepting without the index check'],
  },
  { rule: '4.3', mistake: 'a refused unit is taken on the same stream at once', bugs: ['a refusal is not remembered'] },
  {
    rule: '4.5',
    mistake: 'a duplicate that is dropped counts as durable by that',
    bugs: ['a dropped duplicate is reported durable at once'],
  },
  {
    rule: '5.1',
    mistake: 'a row overwrites one of the same epoch and seq',
    bugs: [
      'an equal seq overwrites',
      'embedded store: an equal seq overwrites',
      'cluster: a row has the seq of the row before',
    ],
  },
  {
    rule: '5.1',
    mistake: 'the seq is compared one off, to either side',
    bugs: [
      'a stale seq is taken',
      'embedded store: the seq before overwrites',
      'embedded store: the seq after is stale',
    ],
  },
  {
    rule: '5.2',
    mistake: 'a unit opens with a row that was read before its epoch was raised',
    bugs: [
      'cluster: a row is read before its unit is claimed',
      'embedded store: a claim keeps the row that it read before others wrote',
      'a claim raises nothing',
    ],
  },
  {
    rule: '5.2',
    mistake: 'an answer of a store of before counts',
    bugs: [
      'a claim’s answer of an earlier generation counts',
      'a marker’s answer of an earlier generation counts',
      'threads: a claim’s answer of an earlier generation counts, when others of its call came before',
      'threads: a marker’s answer of an earlier generation counts',
    ],
  },
  {
    rule: '5.3',
    mistake: 'a row is sent before its outputs are acknowledged',
    bugs: ['a row before its outputs', 'cluster: outputs count as acknowledged before they are appended'],
  },
  {
    rule: '5.4',
    mistake: 'a round reports more than was settled when it began',
    bugs: ['a round reports what was settled at its end', 'cluster: a round reports what was settled at its end'],
  },
  {
    rule: '5.5',
    mistake: 'a report of a stream that has ended counts for the one after it',
    bugs: ['streams: a return of a stream that has ended goes to the one after it'],
  },
  {
    rule: '5.7',
    mistake: 'watermarks that were told before a loss are believed after it',
    bugs: ['told watermarks outlive a generation entry'],
  },
  { rule: '5.7', mistake: 'vectors lose entries above the marker', bugs: ['pruned above the marker'] },
  {
    rule: '5.7',
    mistake: 'a marker tells what its holder has, not what the whole partition has',
    bugs: ['a marker from what was taken, not from what frames told', 'cluster: buckets are marked with what was read'],
  },
  {
    rule: '5.8',
    mistake: 'after a loss only rows that were not confirmed are written again',
    bugs: ['only unconfirmed rows are written again after a loss', 'closed units are not written again after a loss'],
  },
];

/** Further ones that break a small model of the protocol, apart from this code. */
const ofTheModel: readonly RequiredMistake[] = [
  {
    rule: '2.2',
    mistake: 'a closed unit opens again while its end may still take effect',
    bugs: ['a unit that was to move opens again while its move may still take effect'],
  },
  {
    rule: '4.1',
    mistake: 'when a stream ends, what was applied and is not durable is not sent again',
    bugs: ['the end of a stream sends only that back which was not settled'],
  },
  {
    rule: '4.2',
    mistake: 'a holder takes frames of a later table than its own',
    bugs: ['frames do not wait for the table'],
  },
  {
    rule: '4.2',
    mistake: 'a holder takes frames of before a generation entry',
    bugs: ['frames from before a generation entry are accepted'],
  },
  {
    rule: '4.3',
    mistake: 'refused units are sent again while frames that they were refused in are under way',
    bugs: ['refused units are sent again before all is settled'],
  },
  {
    rule: '4.3',
    mistake: 'of several refusals of a unit only the first is remembered',
    bugs: [],
    cannotBe: {
      why: 'the unit is sent on that stream only when all frames sent there before are settled, and by then the ingest has seen each of their refusals; the model holds without this one too',
      file: 'packages/processor/src/ingest/stream-table.ts',
    },
  },
  {
    rule: '4.4',
    mistake: 'reports and acknowledgements overtake refusals',
    bugs: ['acknowledgements overtake refusals', 'durable reports overtake what was returned before them'],
  },
  {
    rule: '5.1',
    mistake: 'a row that comes late, of the holder’s own epoch, counts as fenced',
    bugs: [
      'rows: one that came late has its unit dropped as if it were fenced',
      'a row is written while the one before is under way',
    ],
    cannotBe: {
      why: 'one row of a unit is under way at a time, and its call is repeated as it is until it is answered: none comes late whose answer anybody waits for. The simulation fails when one does; the holder takes it as it should all the same',
      file: 'packages/processor/src/holder/rounds.ts',
    },
  },
  {
    rule: '5.4',
    mistake: 'a round is over when any row of its units is accepted',
    bugs: ['any row of a unit is enough for its round', 'rounds: any row of a unit is enough'],
  },
  {
    rule: '5.4',
    mistake: 'a fenced holder reports before the table shows who fenced it',
    bugs: ['a fenced holder reports at once'],
  },
  {
    rule: '5.5',
    mistake: 'a report counts before the table shows what its holder knew',
    bugs: [
      'reports do not wait for the table',
      'a report counts before going back',
      'cluster: a report counts before going back',
    ],
  },
  {
    rule: '5.7',
    mistake: 'a frame of before a generation entry tells its watermark',
    bugs: ['a frame from before a generation entry tells its watermark'],
  },
  {
    rule: '5.7',
    mistake: 'a bucket without a marker is left out of the least marker',
    bugs: ['embedded store: buckets without a marker are passed over', 'buckets without a marker are passed over'],
  },
];

/** Of stores, clusters and states: against I1 to I9 and I21 to I23. */
const ofTheInvariants: readonly RequiredMistake[] = [
  {
    rule: 'I2',
    mistake: 'the store does not look at the epoch',
    bugs: ['the store ignores the epoch', 'embedded store: the epoch is ignored'],
  },
  {
    rule: 'I2',
    mistake: 'a store that lost its function is written to without it',
    bugs: ['without its function the store is written to all the same'],
  },
  {
    rule: 'I3',
    mistake: 'after an await nobody looks whether the lease is still the same',
    bugs: [
      'claims: the answer to one of an earlier lease opens the unit',
      'rows: the answer to one of an earlier lease counts for the present one',
      'a batch that was read before going back is routed',
      'commits: who may have lost its session commits',
      'cluster: a partition whose lease is over is read on',
    ],
  },
  {
    rule: 'I4',
    mistake: 'epochs are counted by the store, which may lose its count',
    bugs: ['control: epochs without their base'],
    cannotBe: {
      why: 'an epoch is the Raft index of its grant and a base that is logged once; the store gives out no numbers, and is asked for its highest epoch only when a cluster is founded',
      file: 'packages/lease/src/table-reader.ts',
    },
  },
  {
    rule: 'I4',
    mistake: 'epochs begin again after a restart',
    bugs: ['control: epochs begin anew over an old store'],
  },
  { rule: 'I7', mistake: 'duplicates are applied', bugs: ['cluster: duplicates are not dropped'] },
  {
    rule: 'I7',
    mistake: 'the last record applied is no duplicate',
    bugs: ['the last record applied is applied again'],
  },
  {
    rule: 'I7',
    mistake: 'the vector is stored apart from the states',
    bugs: ['rows without a vector'],
    cannotBe: {
      why: 'a row is one value that holds both, and the store takes nothing but whole rows',
      file: 'packages/processor/src/holder/row-codec.ts',
    },
  },
  { rule: 'I5', mistake: 'outputs have random ids', bugs: ['job: ids of outputs are random'] },
  {
    rule: 'I5',
    mistake: 'after the loss of the store users begin at zero',
    bugs: [
      'cluster: the committed offset of an older generation is where reading begins',
      'readings go on over a generation entry',
      'store: one of another history passes for what was before',
    ],
  },
  {
    rule: 'I6',
    mistake: 'what is applied is committed',
    bugs: ['cluster: what is applied is committed, not what is durable'],
  },
  {
    rule: 'I6',
    mistake: 'the watermark follows the holder that is furthest, not the one that is last',
    bugs: ['what one holder has reported durable counts for all'],
  },
  {
    rule: 'I6',
    mistake: 'offsets are committed after the lease of the partition has ended',
    bugs: ['cluster: a partition whose lease is over is read on', 'commits: who may have lost its session commits'],
  },
  {
    rule: 'I6',
    mistake: 'a dead letter counts as durable before it is',
    bugs: ['dead letters are durable at once', 'a row before its outputs'],
  },
  {
    rule: 'I8',
    mistake: 'a handover waits for an incarnation that is dead',
    bugs: ['closing: a unit stays closed for a session that is over', 'closing: nothing but the move is ever proposed'],
  },
  {
    rule: 'I8',
    mistake: 'whoever did not answer is asked again, and nobody else',
    bugs: ['a stream that has ended still leads to its holder'],
  },
  {
    rule: 'I9',
    mistake: 'ids of users are names of an object’s fields',
    bugs: [
      'job: a restored field is assigned, whatever its name does then',
      'cluster: users of one unit with keys of one length share a state',
    ],
    cannotBe: {
      why: 'units are found by their hash in a map of numbers, users within them by comparing the bytes of their keys',
      file: 'packages/processor/src/holder/unit-store.ts',
    },
  },
  {
    rule: 'I21',
    mistake: 'a queue has no bound',
    bugs: [
      'cluster: frames are sent though the stream has said no',
      'cluster: parked records have no bound',
      'cluster: streams have no bound of frames in flight',
      'the queue of rumours has no bound',
    ],
  },
  { rule: 'I22', mistake: 'the tag of a datagram is not checked', bugs: ['the tag of a datagram is not checked'] },
  { rule: 'I22', mistake: 'a datagram is taken again', bugs: ['no replay window'] },
  {
    rule: 'I23',
    mistake: 'a restored state lacks something',
    bugs: ['job: a restored state lacks fields that are null', 'cluster: a restored state has rounded its floats'],
  },
];

/** What has to be planted, whatever else is: a test holds the names to the lists. */
export const requiredMistakes: readonly RequiredMistake[] = [...ofTheProtocol, ...ofTheModel, ...ofTheInvariants];
