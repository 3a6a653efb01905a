import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { builtInMappings } from './built-in.ts';
import { defaultRecordLimits, ExactKeyFinder } from './key-exact.ts';
import { KeyScanner, keyFound, keySkip } from './key-scan.ts';
import type { Mapping } from './mapping.ts';
import { parseMapping } from './parse-mapping.ts';

const odd: Mapping = (() => {
  const parsed = parseMapping({
    name: 'odd',
    filter: [
      { path: 'kind', in: [3002, 'x', true] },
      { path: 'event.category', contains: 'authentication' },
    ],
    fields: { user: { paths: ['user.id', 'user', 'name', 'a.b.c'], empty: ['-', '0', 'é'] } },
  });
  assert.ok(parsed.ok);
  return parsed.mapping;
})();
const mappings = [...builtInMappings.values(), odd];

function describeScan(scanner: KeyScanner, bytes: Uint8Array, start: number, end: number): string {
  const result = scanner.locate(bytes, start, end);
  if (result === keyFound)
    return `key ${Buffer.from(scanner.keyBytes.subarray(scanner.keyStart, scanner.keyEnd)).toString('hex')}`;
  return `${result === keySkip ? 'skip' : 'dead'} ${scanner.reason}`;
}

function describeExact(finder: ExactKeyFinder, bytes: Uint8Array, start: number, end: number): string {
  const found = finder.find(bytes, start, end);
  if ('key' in found) return `key ${Buffer.from(found.key).toString('hex')}`;
  return 'skip' in found ? `skip ${found.skip}` : `dead ${found.dead}`;
}

/** Characters as JSON may write them. */
const character = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'z', '0', ' ', '-', '.') },
  fc.constantFrom('é', 'ß', '漢', '😀', '\u2028', '\\n', '\\"', '\\\\', '\\/', '\\u0041', '\\u00e9', '\\ud83d\\ude00'),
  { weight: 1, arbitrary: fc.constantFrom('\\ud800', '\\udc00', '\\u0000', '\\ud83d\\u0041') },
);
const stringText = fc.oneof(
  { weight: 3, arbitrary: fc.array(character, { maxLength: 5 }).map((parts) => `"${parts.join('')}"`) },
  fc.constantFrom(
    '""',
    '"-"',
    '"x"',
    '"authentication"',
    '"authenticatio\\u006e"',
    '"true"',
    '"3002"',
    '"\\u002d"',
    '"é"',
  ),
);
const numberText = fc.constantFrom(
  '0',
  '-0',
  '7',
  '3002',
  '3002.0',
  '3.002e3',
  '12345678901234567890',
  '1e400',
  '-1.50',
  '0.1E-2',
);
const scalar = fc.oneof({ weight: 3, arbitrary: stringText }, numberText, fc.constantFrom('true', 'false', 'null'));
const keyText = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ...['user', 'name', 'id', 'email', 'event', 'category', 'remote_user', 'remote_addr', 'user.id', 'user.name'],
      ...['event.category', 'kind', 'a', 'b', 'c', 'a.b', 'b.c', 'a.b.c', '__proto__', 'length', '', '\\u0075ser'],
    ),
  },
  fc.constantFrom('😀', 'us\\u0065r', 'other'),
);
const space = fc.constantFrom('', '', '', ' ', '\t', '\r\n  ');
const { value } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: scalar },
    tie('object'),
    tie('array'),
  ),
  array: fc
    .tuple(space, fc.array(tie('value'), { maxLength: 3 }))
    .map(([s, parts]) => `[${s}${parts.join(`${s},${s}`)}${s}]`),
  object: fc
    .tuple(space, fc.array(fc.tuple(keyText, tie('value')), { maxLength: 6 }))
    .map(([s, members]) => `{${s}${members.map(([k, v]) => `"${k}"${s}:${s}${v}`).join(`${s},${s}`)}${s}}`),
}));
const objectText = fc.array(fc.tuple(keyText, value), { maxLength: 7 }).map((members) => {
  // Half of the records pass the filters, or the filters would hide the rest.
  const head = members.length % 2 === 0 ? '"event":{"category":["web","authentication"]},"kind":3002,' : '';
  return `{${head}${members.map(([k, v]) => `"${k}":${v}`).join(',')}${members.length === 0 ? '"q":1' : ''}}`;
});

describe('the scanner gives the answer of the exact path', () => {
  const scanners = mappings.map((mapping) => new KeyScanner(mapping));
  const finders = mappings.map((mapping) => new ExactKeyFinder(mapping));
  const agree = (bytes: Uint8Array, start = 0, end = bytes.length): void => {
    mappings.forEach((mapping, i) => {
      const exact = describeExact(finders[i]!, bytes, start, end);
      assert.equal(describeScan(scanners[i]!, bytes, start, end), exact, mapping.name);
    });
  };

  test('on objects of any shape', () => {
    fc.assert(
      fc.property(objectText, space, (text, s) => agree(Buffer.from(`${s}${text}${s}`))),
      { numRuns: 6000 },
    );
  });

  test('on any JSON value inside a larger buffer', () => {
    fc.assert(
      fc.property(value, (text) => {
        const bytes = Buffer.from(`"${text}"`);
        agree(bytes, 1, bytes.length - 1);
      }),
      { numRuns: 1000 },
    );
  });

  test('on damaged records', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(objectText, damage, fc.nat(), (text, changes, cut) => {
        const bytes = Buffer.from(text);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        agree(bytes);
        agree(bytes, 0, cut % (bytes.length + 1));
      }),
      { numRuns: 5000 },
    );
  });

  test('on bytes of any kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => agree(bytes)),
      { numRuns: 2000 },
    );
    const jsonish = fc.array(fc.constantFrom(...Buffer.from('{}[]":,\\u0 1e-.tfn\xff', 'latin1')), { maxLength: 25 });
    fc.assert(
      fc.property(jsonish, (bytes) => agree(Uint8Array.from(bytes))),
      { numRuns: 3000 },
    );
  });

  test('on real records, and there nearly always without parsing', () => {
    for (const [name, file] of [
      ['nginx', 'access-nginx-200.jsonl'],
      ['ecs', 'logins-ecs-200.jsonl'],
    ] as const) {
      const bytes = readFileSync(new URL(`../../testdata/${file}`, import.meta.url));
      const scanner = new KeyScanner(builtInMappings.get(name)!);
      for (let start = 0, end = 0; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) {
        agree(bytes, start, end);
        scanner.locate(bytes, start, end);
      }
      assert.equal(scanner.exactCount, 0);
    }
  });
});

describe('cases', () => {
  const scan = (name: string, text: string | Uint8Array): string => {
    const scanner = new KeyScanner(builtInMappings.get(name)!);
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const result = scanner.locate(bytes, 0, bytes.length);
    if (result !== keyFound) return `${result} ${scanner.reason}`;
    return Buffer.from(scanner.keyBytes.subarray(scanner.keyStart, scanner.keyEnd)).toString();
  };
  const nested = (depth: number): string => `{"user":"a","x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  const cases: [string, string, string | Uint8Array, string][] = [
    ['plain', 'holdfast', '{"user":"lea"}', 'lea'],
    ['escaped', 'holdfast', '{"user":"l\\u00e9a\\ud83d\\ude00"}', 'léa😀'],
    ['last duplicate', 'holdfast', '{"user":"a","user":"b"}', 'b'],
    ['duplicate by escape', 'holdfast', '{"user":"a","us\\u0065r":"b"}', 'b'],
    ['number', 'holdfast', '{"user":42}', '42'],
    ['number of many digits', 'holdfast', '{"user":12345678901234567890}', '12345678901234567890'],
    ['the same in an array', 'holdfast', '{"user":[12345678901234567890]}', '12345678901234567890'],
    ['not a key', 'holdfast', '{"user":true}', '1 no_user'],
    ['prototype names', 'holdfast', '{"user":"__proto__"}', '__proto__'],
    ['dash and empty', 'nginx', '{"remote_user":"-","remote_addr":"192.0.2.1"}', '192.0.2.1'],
    ['no user', 'nginx', '{"remote_user":"","remote_addr":"-"}', '1 no_user'],
    ['flat keys', 'ecs', '{"event.category":"authentication","user.name":"lea"}', 'lea'],
    ['id first', 'ecs', '{"event":{"category":"authentication"},"user":{"name":"lea","id":7}}', '7'],
    ['array of users', 'ecs', '{"event":{"category":["authentication"]},"user":[{"x":1},{"name":"lea"}]}', 'lea'],
    ['other event', 'ecs', '{"event":{"category":["web"]},"user":{"name":"lea"}}', '1 filtered'],
    ['empty line', 'holdfast', ' \r', '1 empty_line'],
    ['half', 'holdfast', '{"user":"a"', '2 bad_json'],
    ['two values', 'holdfast', '{"user":"a"}{}', '2 bad_json'],
    ['array', 'holdfast', '[1]', '2 not_object'],
    ['half a pair', 'holdfast', '{"user":"\\ud800"}', '2 bad_key'],
    ['not UTF-8', 'holdfast', Buffer.from('{"user":"a","x":"\xff"}', 'latin1'), '2 not_utf8'],
    ['surrogate in bytes', 'holdfast', Buffer.from('{"user":"\xed\xa0\x80"}', 'latin1'), '2 not_utf8'],
    ['deep enough', 'holdfast', nested(64), 'a'],
    ['too deep', 'holdfast', nested(65), '2 too_deep'],
    ['very deep', 'holdfast', '['.repeat(500_000), '2 too_deep'],
    ['large', 'holdfast', `{"user":"a","x":"${'x'.repeat(1 << 20)}"}`, '2 too_large'],
    ['long key', 'holdfast', `{"user":"${'x'.repeat(1025)}"}`, '2 key_too_long'],
  ];
  for (const [name, mapping, text, expected] of cases) test(name, () => assert.equal(scan(mapping, text), expected));

  test('limits are options', () => {
    const scanner = new KeyScanner(builtInMappings.get('holdfast')!, { ...defaultRecordLimits, recordBytesMax: 10 });
    assert.equal(scanner.locate(Buffer.from('{"user":"lea"}'), 0, 14), 2);
    assert.equal(scanner.reason, 'too_large');
  });
});
