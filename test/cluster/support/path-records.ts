/** An input whose records are paths of files, each its own user: by them a test tells a job what to do. */
export const pathRecords = {
  topic: 'access-log',
  parse: (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString(),
  key: (path: string) => path,
};
