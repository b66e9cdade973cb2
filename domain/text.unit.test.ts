import { describe, expect, it } from 'vitest';
import { cleanLine, refuseLine } from './text.ts';

describe('one line of text', () => {
  it.each([
    ['zero width', 'A\u200Bsha\uFEFF\u2060', 'Asha'],
    ['joiners where nothing is joined', 'A\u200Csha\u200D', 'Asha'],
    ['direction marks', '\u200EAsha\u200F', 'Asha'],
    ['a soft hyphen', 'As\u00ADha', 'Asha'],
    ['white space around, also behind what is invisible', ' \u200BAsha \u200B', 'Asha'],
  ])('loses %s', (_, given, kept) => {
    expect(cleanLine(given)).toBe(kept);
  });

  it.each(['نامه\u200Cای', 'ക്\u200Dഷ', 'क्\u200Dष', 'José', '日本 太郎'])(
    'keeps %j as it is written',
    (name) => {
      expect(cleanLine(name)).toBe(name);
    },
  );

  it('counts code points, as the OpenAPI document does', () => {
    expect(refuseLine('😀'.repeat(100), 100)).toBeUndefined();
    expect(refuseLine('😀'.repeat(101), 100)).toBe('expected at most 100 characters');
  });

  it.each(['', 'a\nb', 'a\u0000', 'a\u2028b', '\uD800', 'La\u202Emp', 'La\u2066mp', 'x\u{E0041}'])(
    'refuses %j',
    (text) => {
      expect(refuseLine(text, 10)).toMatch(/^expected/);
    },
  );
});
