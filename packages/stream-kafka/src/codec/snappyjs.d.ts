declare module 'snappyjs' {
  export function compress(bytes: Uint8Array): Uint8Array;
  /** @throws Error when the bytes would become more than `bytesMax` */
  export function uncompress(bytes: Uint8Array, bytesMax?: number): Uint8Array;
}
