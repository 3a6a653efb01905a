/** Called with what was broken: the invariant's number first. The run ends at the first report. */
export type Report = (text: string) => void;
