import { describe, expect, it } from 'vitest';
import { driverType } from './driver.ts';
import { parameterNames, parameterTypes, typedParameters, type SqlType } from './parameter-types.ts';

const valueOf = (name: keyof typeof parameterTypes, value: string | number | Uint8Array) =>
  typedParameters(`SELECT @${name}`, { [name]: value })[0]?.value;

describe('typed parameters', () => {
  it('have a driver type each', () => {
    for (const type of Object.values(parameterTypes)) expect(driverType(type)).toHaveProperty('type');
    expect(driverType('VARCHAR(64)')).toMatchObject({ length: 64 });
    expect(driverType('DATETIME2(3)')).toMatchObject({ scale: 3 });
    expect(() => driverType('MONEY' as SqlType)).toThrow('No driver type');
  });

  it('are found once each, numbered ones too, and server variables are none', () => {
    expect(
      parameterNames('SET X = @Name, Y = @Quantity_12 WHERE Z = @Name; IF @@ROWCOUNT = 0 SELECT 1'),
    ).toEqual(['Name', 'Quantity_12']);
    expect(typedParameters('SELECT @Quantity_12', { Quantity_12: 3 })).toEqual([
      { name: 'Quantity_12', type: 'INT', value: 3 },
    ]);
  });

  it('turn a time into a moment and refuse one that would come back otherwise', () => {
    expect(valueOf('NowUtc', '2026-01-02T03:04:05.678Z')).toEqual(
      new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
    );
    for (const time of ['2026-01-02T03:04:05Z', '2026-01-02', '2026-01-02T03:04:05.678+01:00', 'soon']) {
      expect(() => valueOf('NowUtc', time)).toThrow('expected an ISO 8601 UTC time with milliseconds');
    }
  });

  it.each([
    ['Quantity', 1.5, 'a whole number up to 2147483647'],
    ['Quantity', 2_147_483_648, 'a whole number up to 2147483647'],
    ['AmountMinor', Number.MAX_SAFE_INTEGER + 1, 'a whole number'],
    ['PartitionNumber', 256, 'a whole number up to 255'],
    ['Quantity', '3', 'a whole number'],
    ['OrderId', 'x'.repeat(37), 'at most 36 characters'],
    ['LastError', 'x'.repeat(2_001), 'at most 2000 characters'],
    ['ProductId', 'тovar', 'ASCII only'],
    ['Reason', 5, 'a text'],
    ['Content', 'text', 'bytes'],
  ] as const)('refuse %s = %s', (name, value, expected) => {
    expect(() => valueOf(name, value)).toThrow(
      `Parameter @${name} (${parameterTypes[name]}): expected ${expected}`,
    );
  });

  it('keep what fits', () => {
    expect(valueOf('Reason', 'ज़ोया “₹”')).toBe('ज़ोया “₹”');
    expect(valueOf('AmountMinor', -Number.MAX_SAFE_INTEGER)).toBe(-Number.MAX_SAFE_INTEGER);
    expect(valueOf('Content', new Uint8Array([0, 255]))).toEqual(Buffer.from([0, 255]));
    expect(typedParameters('SELECT @Reason', { Reason: null })[0]?.value).toBeNull();
  });

  it('name the one that got no value', () => {
    expect(() => typedParameters('SELECT @OrderId', {})).toThrow(
      'Parameter @OrderId (CHAR(36)) got no value',
    );
  });

  it('refuse a name that has no type', () => {
    expect(() => typedParameters('SELECT @Nobody', {})).toThrow('add it to parameterTypes');
  });
});
