import { describe, expect, it } from 'vitest';
import { lineOption } from './line-option.ts';

describe('a text of a command line', () => {
  it('is cleaned as at HTTP', () => {
    expect(lineOption(500)(' gr\u200bace ')).toBe('grace');
  });

  it.each(['', '\u200b', 'a\nb', 'gr\u202eace', 'x\u{e0041}', 'abcdef'])('is refused: %j', (text) => {
    expect(() => lineOption(5)(text)).toThrow(/^expected/);
  });
});
