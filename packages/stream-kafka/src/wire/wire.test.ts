import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KafkaError } from '../errors.ts';
import { AnswerAssembler } from './answer-assembler.ts';
import { ScramClient } from './scram.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

test('primitive types come back as they were written', () => {
  const safe = fc.maxSafeInteger();
  const u32 = fc.integer({ min: 0, max: 2 ** 31 });
  const text = fc.option(fc.string({ unit: 'grapheme' }), { nil: null });
  fc.assert(
    fc.property(
      safe,
      u32,
      text,
      fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      (long, unsigned, string, ints) => {
        const writer = new WireWriter(1).int64(long).uvarint(unsigned).compactString(string).boolean(true);
        writer.compactArray(ints, (value) => writer.int32(value)).tags();
        const reader = new WireReader(writer.finish());
        assert.equal(reader.int64(), long);
        assert.equal(reader.uvarint(), unsigned);
        assert.equal(reader.compactString(), string);
        assert.equal(reader.boolean(), true);
        assert.deepEqual(
          reader.compactArray(() => reader.int32()),
          ints,
        );
        reader.tags();
        assert.equal(reader.at, reader.end);
      },
    ),
  );
});

test('optional fields are passed over, and an answer that ends too early is an error', () => {
  const bytes = new WireWriter().uvarint(1).uvarint(9).uvarint(2).int16(5).int8(3).finish();
  const reader = new WireReader(bytes);
  reader.tags();
  assert.equal(reader.int8(), 3);
  assert.throws(() => reader.int8(), KafkaError);
  assert.throws(() => new WireReader(Buffer.from([200])).compactString(), KafkaError);
});

test('answers are whole, however a socket cuts them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 4, maxLength: 50 })),
      fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
      (answers, cuts) => {
        const framed = answers.map((answer) => new WireWriter().int32(answer.length).raw(answer).finish());
        const stream = Buffer.concat(framed);
        const got: Buffer[] = [];
        const assembler = new AnswerAssembler(100, (answer) => got.push(answer));
        for (let at = 0; at < stream.length; ) {
          const size = cuts.next().value;
          assembler.push(stream.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(
          got,
          answers.map((answer) => Buffer.from(answer)),
        );
      },
    ),
  );
});

test('says what answers in place of a Kafka', () => {
  const assembler = () => new AnswerAssembler(1_000, () => assert.fail());
  assert.throws(() => assembler().push(Buffer.from([0x15, 3, 3, 0, 2])), /TLS/);
  assert.throws(() => assembler().push(Buffer.from('HTTP/1.1 400')), /is this a Kafka listener/);
});

test('SCRAM as in RFC 7677, and a server that does not know the password is refused', () => {
  const client = new ScramClient('sha256', 'user', 'pencil', 'rOprNGfwEbeRWgbNEkqO');
  assert.equal(client.first().toString(), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const final = client.final(Buffer.from(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`));
  assert.equal(final.toString(), `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`);
  client.verify(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
  assert.throws(() => client.verify(Buffer.from('v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')), /does not prove/);
  assert.throws(() => client.verify(Buffer.from('e=invalid-proof')), /invalid-proof/);
  const greedy = new ScramClient('sha256', 'user', 'pencil', 'abc');
  assert.throws(() => greedy.final(Buffer.from('r=abcd,s=AAAA,i=2000000000')), /iterations/);
  assert.throws(() => greedy.final(Buffer.from('r=other,s=AAAA,i=4096')), /nonce/);
});
