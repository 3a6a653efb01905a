import { KafkaError } from '../errors.ts';

/**
 * Puts the pieces that a socket gives together to answers: each is one buffer of its own, allocated once its length is
 * known, so that the record batches in it can be handed on as they are.
 */
export class AnswerAssembler {
  readonly #bytesMax: number;
  readonly #onAnswer: (answer: Buffer) => void;
  readonly #head = Buffer.alloc(4);
  #headFilled = 0;
  #answer: Buffer | null = null;
  #filled = 0;

  constructor(bytesMax: number, onAnswer: (answer: Buffer) => void) {
    this.#bytesMax = bytesMax;
    this.#onAnswer = onAnswer;
  }

  /** @throws KafkaError PROTOCOL when the length is none that a broker sends */
  push(piece: Buffer): void {
    for (let at = 0; at < piece.length; ) {
      if (this.#answer === null) {
        while (this.#headFilled < 4 && at < piece.length) this.#head[this.#headFilled++] = piece[at++]!;
        if (this.#headFilled < 4) return;
        const length = this.#head.readInt32BE(0);
        if (length < 4 || length > this.#bytesMax) throw new KafkaError('PROTOCOL', this.#refusal(length));
        this.#answer = Buffer.allocUnsafeSlow(length);
        this.#filled = 0;
      }
      const answer = this.#answer;
      const count = Math.min(answer.length - this.#filled, piece.length - at);
      piece.copy(answer, this.#filled, at, at + count);
      this.#filled += count;
      at += count;
      if (this.#filled < answer.length) return;
      this.#answer = null;
      this.#headFilled = 0;
      this.#onAnswer(answer);
    }
  }

  #refusal(length: number): string {
    // A TLS alert (type 21) or handshake (22), version 3.x.
    if ((this.#head[0] === 0x15 || this.#head[0] === 0x16) && this.#head[1] === 3) {
      return 'the listener speaks TLS: set tls, or name a plain listener';
    }
    return `an answer of ${length} bytes (at most ${this.#bytesMax}): is this a Kafka listener?`;
  }
}
