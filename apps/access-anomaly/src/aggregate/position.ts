/** Where a record lies in the input topic. Breaks ties between equal times, the same at every replay. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}
