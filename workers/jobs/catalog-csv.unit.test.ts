import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { productId } from '../../domain/ids.ts';
import { mostOnHand } from '../../domain/stock.ts';
import { cleanLine } from '../../domain/text.ts';
import { catalogFromCsv, catalogToCsv } from './catalog-csv.ts';

const header = 'productId,name,price,currency,onHand,expectedOnHand';
const read = (...lines: string[]) => catalogFromCsv(Buffer.from([header, ...lines].join('\n')));
const readFacts = (column: string, value: string) =>
  catalogFromCsv(Buffer.from(`productId,${column}\nlamp,${value}\n`));

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
        expect(read).toEqual([
          { line: 2, productId: 'p-1', name, price, onHand, expectedOnHand: onHand, facts: {} },
        ]);
      }),
    );
  });

  it('may begin with a byte order mark, have CRLF and leave the stock open', () => {
    expect(catalogFromCsv(Buffer.from(`\uFEFF${header}\r\nlamp,Desk lamp,12,JPY,,\r\n`))).toEqual([
      {
        line: 2,
        productId: 'lamp',
        name: 'Desk lamp',
        price: { amountMinor: 12, currency: 'JPY' },
        facts: {},
      },
    ]);
  });

  it('may name a product alone, its price alone or its stock alone', () => {
    expect(read('a,,,,,', 'b,,2,INR,,', 'c,,,,5,7')).toEqual([
      { line: 2, productId: 'a', facts: {} },
      { line: 3, productId: 'b', price: { amountMinor: 200, currency: 'INR' }, facts: {} },
      { line: 4, productId: 'c', onHand: 5, expectedOnHand: 7, facts: {} },
    ]);
  });

  it('of an older release has no expectations', () => {
    const old = catalogFromCsv(Buffer.from('productId,name,price,currency,onHand\nlamp,Lamp,1.00,INR,4\n'));
    expect(old).toEqual([
      {
        line: 2,
        productId: 'lamp',
        name: 'Lamp',
        price: { amountMinor: 100, currency: 'INR' },
        onHand: 4,
        facts: {},
      },
    ]);
  });

  it('may have any of the columns in any order', () => {
    const some = catalogFromCsv(Buffer.from('hsCode,weightGrams,productId\n94052000,750,lamp\n-,,mat\n'));
    expect(some).toEqual([
      { line: 2, productId: 'lamp', facts: { hsCode: '94052000', weightGrams: 750 } },
      { line: 3, productId: 'mat', facts: { hsCode: null } },
    ]);
  });

  it.each([
    ['now', 'now'],
    ['-', null],
    ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T12:00:00.120Z', '2026-03-01T12:00:00.120Z'],
  ])('withdraws from sale or puts back: %s', (text, withdrawnAtUtc) => {
    expect(readFacts('withdrawnAtUtc', text)).toMatchObject([{ withdrawnAtUtc }]);
  });

  it.each([
    ['weightGrams', '0', 'from 1 to 1000000'],
    ['weightGrams', '1.5', 'a whole number'],
    ['lengthMm', '100001', 'from 1 to 100000'],
    ['hsCode', '9405.20', '6 to 12 digits'],
    ['originCountry', 'xx', 'ISO 3166-1'],
    ['customsDescription', 'x'.repeat(51), 'at most 50'],
    ['withdrawnAtUtc', 'yes', 'expected now, -, or a time'],
    ['withdrawnAtUtc', '2026-02-30', 'expected now, -, or a time'],
    ['withdrawnAtUtc', '2026-13-01T00:00:00Z', 'expected now, -, or a time'],
  ])('is refused for %s %s', (column, text, problem) => {
    expect(() => readFacts(column, text)).toThrow(problem);
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
    for (const other of ['name,price', 'productId,weight', 'productId,name,name'])
      expect(() => catalogFromCsv(Buffer.from(`${other}\n`))).toThrow('name,price,');
    expect(() => catalogFromCsv(Buffer.from(''))).toThrow('came nothing');
    expect(() => catalogFromCsv(Buffer.from(`${header}\np,Caf\xe9,1,EUR,1,`, 'latin1'))).toThrow(
      'expected UTF-8',
    );
  });
});
