import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { productId } from '../../domain/ids.ts';
import { mostOnHand } from '../../domain/stock.ts';
import { cleanLine } from '../../domain/text.ts';
import { catalogFromCsv, catalogToCsv } from './catalog-csv.ts';

const header = 'productId,name,price,currency,onHand,expectedOnHand';
const read = (...lines: string[]) => catalogFromCsv(Buffer.from([header, ...lines].join('\n')));

describe('a catalog file', () => {
  it('comes back as it was written, whatever is in a name', () => {
    const names = fc
      .string({ minLength: 1, maxLength: 50 })
      .map((text) => cleanLine(`a${text.replace(/[\p{Cc}\u2028\u2029]/gu, '')}z"',;ज़`));
    fc.assert(
      fc.property(names, fc.nat(), fc.nat(mostOnHand), (name, amountMinor, onHand) => {
        const price = { amountMinor, currency: 'KWD' } as const;
        const row = { productId: productId('p-1'), name, price, onHand, reserved: 0 };
        const read = catalogFromCsv(Buffer.from(catalogToCsv([row])));
        expect(read).toEqual([{ line: 2, productId: 'p-1', name, price, onHand, expectedOnHand: onHand }]);
      }),
    );
  });

  it('may begin with a byte order mark, have CRLF and leave the stock open', () => {
    expect(catalogFromCsv(Buffer.from(`\uFEFF${header}\r\nlamp,Desk lamp,12,JPY,,\r\n`))).toEqual([
      { line: 2, productId: 'lamp', name: 'Desk lamp', price: { amountMinor: 12, currency: 'JPY' } },
    ]);
  });

  it('may name a product alone, its price alone or its stock alone', () => {
    expect(read('a,,,,,', 'b,,2,INR,,', 'c,,,,5,7')).toEqual([
      { line: 2, productId: 'a' },
      { line: 3, productId: 'b', price: { amountMinor: 200, currency: 'INR' } },
      { line: 4, productId: 'c', onHand: 5, expectedOnHand: 7 },
    ]);
  });

  it('of an older release has no expectations', () => {
    const old = catalogFromCsv(Buffer.from('productId,name,price,currency,onHand\nlamp,Lamp,1.00,INR,4\n'));
    expect(old).toEqual([
      { line: 2, productId: 'lamp', name: 'Lamp', price: { amountMinor: 100, currency: 'INR' }, onHand: 4 },
    ]);
  });

  it('takes a name as long as the API does: code points are counted', () => {
    expect(read(`p,${'😀'.repeat(200)},1,INR,1,1`)).toHaveLength(1);
    expect(() => read(`p,${'😀'.repeat(201)},1,INR,1,1`)).toThrow('line 2: name');
  });

  it.each([
    ['a b,Lamp,1,INR,1,', 'line 3: productId "a b"'],
    [',Lamp,1,INR,1,', 'line 3: productId ""'],
    [`p,${'x'.repeat(201)},1,INR,1,`, 'line 3: name'],
    ['p, Lamp,1,INR,1,', 'line 3: name'],
    ['p,La\u202Emp,1,INR,1,', 'line 3: name'],
    ['p,"La\nmp",1,INR,1,', 'line 4: name'],
    ['p,Lamp,1.999,INR,1,', 'line 3: price "1.999": too many decimals for INR'],
    ['p,Lamp,-1,INR,1,', 'line 3: price "-1"'],
    ['p,Lamp,1e3,INR,1,', 'line 3: price "1e3"'],
    ['p,Lamp,1,inr,1,', 'line 3: currency "inr"'],
    ['p,Lamp,1,INR,-1,', 'line 3: onHand "-1"'],
    ['p,Lamp,1,INR,1.5,', 'line 3: onHand "1.5"'],
    ['p,Lamp,1,INR,2000000001,1', 'line 3: onHand "2000000001"'],
    ['p,Lamp,1,INR,1,-1', 'line 3: expectedOnHand "-1"'],
    ['p,Lamp,,INR,1,1', 'line 3: price ""'],
    ['good,Lamp,1,INR,1,', 'line 3: productId "good" is on line 2 too'],
    ['p,Lamp,1,INR', 'line 3'],
    ['p,Lamp,1,INR,1,1,', 'line 3'],
    ['p,Lamp,1,INR,1', 'line 3'],
    ['p,"Lamp,1,INR,1,', 'no well-formed CSV'],
  ])('is refused for %j', (line, problem) => {
    expect(() => read('good,Lamp,1,INR,1,', line)).toThrow(problem);
  });

  it('is refused with every faulty line named, up to 20', () => {
    expect(() => read('a,\u202E,1,INR,1,', 'b,B,1,INR,1,', 'c,C,1,XXX,1,')).toThrow(
      /^line 2: .*\nline 4: [^\n]*$/,
    );
    const many = Array.from({ length: 25 }, (_, index) => `p${index},\u202E,1,INR,1,`);
    expect(() => read(...many)).toThrow('and 5 more');
  });

  it('is refused with another header, without one, and in another encoding', () => {
    expect(() => catalogFromCsv(Buffer.from('name,productId\na,b\n'))).toThrow('line 1: expected the header');
    expect(() => catalogFromCsv(Buffer.from(''))).toThrow('came nothing');
    expect(() => catalogFromCsv(Buffer.from(`${header}\np,Caf\xe9,1,EUR,1,`, 'latin1'))).toThrow(
      'expected UTF-8',
    );
  });
});
