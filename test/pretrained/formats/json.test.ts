import { parseJsonObject } from '../../../src/pretrained/formats/json.js';

const parse = (text: string): unknown => parseJsonObject('a.json', text);

test('objects, with the infinities that Python writes', () => {
  expect(parse('{"a": [1, null, {"b": "Infinity"}]}')).toEqual({ a: [1, null, { b: 'Infinity' }] });
  expect(parse('{"max": Infinity, "min": -Infinity, "\\"Infinity": "x Infinity"}')).toEqual({
    max: Infinity,
    min: -Infinity,
    '"Infinity': 'x Infinity',
  });
});

test('what is refused', () => {
  expect(() => parse('{"a": }')).toThrow(
    /^a\.json is not JSON \(.*\)\. Copy or save the file again\./,
  );
  expect(() => parse('{"a": NaN}')).toThrow('a.json is not JSON');
  expect(() => parse('[1]')).toThrow('a.json must hold a JSON object.');
  expect(() => parse('null')).toThrow('a.json must hold a JSON object.');
});

test('a key that would change a prototype', () => {
  for (const text of [
    '{"__proto__": {"a": 1}}',
    '{"a": [{"b": {"__proto__": 1}}]}',
    '{"\\u005f_proto__": 1}',
  ]) {
    expect(() => parse(text)).toThrow(
      "a.json has a key '__proto__', which no model has. Don't use it.",
    );
  }
  expect(parse('{"a": "__proto__"}')).toEqual({ a: '__proto__' });
});

test('brackets without end', () => {
  const nested = (depth: number): string => `{"a": ${'['.repeat(depth)}${']'.repeat(depth)}}`;
  expect(parse(nested(499))).toBeDefined();
  expect(() => parse(nested(500))).toThrow('a.json is nested more than 500 deep.');
  expect(() => parse(`{"a": ${'['.repeat(1e6)}`)).toThrow('nested more than 500 deep');
  expect(parse(`{"a": "${'['.repeat(1000)}\\""}`)).toBeDefined();
});
