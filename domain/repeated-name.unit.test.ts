import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedName } from './repeated-name.ts';

describe('a name that an object has twice', () => {
  it.each([
    ['{"a":1,"a":1}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"a":{"b":[1,{"c":1 , "d":2,"c" :3}]}}', 'c'],
    ['[{"a":1},{"b":1,"b":2}]', 'b'],
    ['{"":0,"":0}', ''],
    ['{"__proto__":0,"__proto__":0}', '__proto__'],
    ['{"a\\"}":0,"a\\"}":0}', 'a"}'],
    ['{"a":{"a":1},"a":2}', 'a'],
  ])('is found in %s', (json, name) => {
    JSON.parse(json);
    expect(repeatedName(json)).toBe(name);
  });

  it.each([
    '{"a":"a","b":"a:","c":["a","a"]}',
    '[{"a":1},{"a":1}]',
    '{"a":{"a":{"a":1}}}',
    '"{\\"a\\":1}"',
    '7',
  ])('is not seen in %s', (json) => {
    JSON.parse(json);
    expect(repeatedName(json)).toBeUndefined();
  });

  it('is never seen in what was written from objects, and always where one name is written twice', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, name) => {
        const text = JSON.stringify(value, null, 1);
        expect(repeatedName(text)).toBeUndefined();
        const key = JSON.stringify(name);
        expect(repeatedName(`[${text},{${key}:${text},${key}:${text}}]`)).toBe(name);
      }),
    );
  });
});
