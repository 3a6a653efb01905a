import { defineProcessor } from '@holdfast/sdk';

export const markersTopic = 'markers';

/** What the benchmark feeds: `user number`. */
interface Marker {
  readonly user: string;
  readonly number: number;
}

/** The holder's word that it has applied a record: who, when, and under which epoch it holds the user. */
export interface Applied extends Marker {
  readonly pid: number;
  readonly atUnixMs: number;
  readonly epoch: number;
}

const textDecoder = new TextDecoder();
const textEncoder = new TextEncoder();

/** The benchmark's job: it says of each record when and where it was applied. A job of use must not look at a clock. */
export default defineProcessor({
  name: 'markers',
  version: '1',
  input: {
    markers: {
      topic: 'access-log',
      parse: (bytes: Uint8Array, start: number, end: number): Marker => {
        const [user, number] = textDecoder.decode(bytes.subarray(start, end)).split(' ');
        return { user: user!, number: Number(number) };
      },
      key: (marker: Marker) => marker.user,
    },
  },
  output: {
    applied: {
      topic: markersTopic,
      key: (applied: Applied) => applied.user,
      encode: (applied: Applied) => textEncoder.encode(JSON.stringify(applied)),
    },
  },
  state: { version: 1, initial: () => ({ count: 0 }), idle: '1d' },
  onEvent: {
    markers(marker, ctx) {
      ctx.state.count++;
      ctx.emit.applied({ ...marker, pid: process.pid, atUnixMs: Date.now(), epoch: ctx.epoch });
    },
  },
});
