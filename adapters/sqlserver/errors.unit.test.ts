import mssql from 'mssql';
import { describe, expect, it } from 'vitest';
import { TechnicalFailure } from '../../domain/failures.ts';
import { connectionOf } from './driver.ts';
import { commitError, isRerunnable, isUniqueViolation, leavesTransaction, storeError } from './errors.ts';

/** As the driver makes it of an error the server sent. */
const sent = (number: number, message = 'said the server', preceding: Error[] = []) =>
  Object.assign(new Error(message), {
    name: 'RequestError',
    code: 'EREQUEST',
    number,
    precedingErrors: preceding,
  });
const lost = (code: string, message = 'Connection lost') =>
  Object.assign(new Error(message), { name: 'ConnectionError', code });
const input = { server: 'sql:1433/shop', statement: 'orders.update', text: 'UPDATE\n  Orders' };

describe('errors of SQL Server', () => {
  it.each([
    [1205, 'deadlock'],
    [1222, 'a lock was not free in time'],
    [9002, 'back up its log'],
    [18456, 'check the user, its password'],
    [4060, 'create it or grant access'],
    [596, 'moving or restarting'],
    [615, 'moving or restarting'],
    [921, 'moving or restarting'],
    [922, 'moving or restarting'],
    [926, 'moving or restarting'],
    [18451, 'starting or stopping'],
    [40613, 'moving or restarting'],
    [40501, 'short of resources'],
    [49920, 'short of resources'],
    [3906, 'connect to the primary'],
    [229, 'roles.sql'],
  ])('%i is StoreUnavailable and says what to do', (number, act) => {
    const error = storeError(sent(number), input);
    expect(error).toBeInstanceOf(TechnicalFailure);
    expect(error).toMatchObject({ type: 'StoreUnavailable' });
    expect(error.message).toContain(act);
    expect(error.message).toContain(`error ${number}`);
    expect(error.message).toContain('orders.update');
  });

  it.each(['ESOCKET', 'ECLOSE', 'ECONNCLOSED', 'ETIMEOUT', 'ELOGIN', 'EINVALIDSTATE', 'EFEDAUTH'])(
    '%s without an error of the server is StoreUnavailable',
    (code) => {
      expect(storeError(lost(code), input)).toMatchObject({ type: 'StoreUnavailable' });
    },
  );

  it("takes the pool's own time-out, which has no code, for one", () => {
    const error = Object.assign(new Error('operation timed out'), { name: 'TimeoutError' });
    expect(storeError(error, input)).toMatchObject({ type: 'StoreUnavailable' });
  });

  it.each([
    [
      547,
      'The UPDATE statement conflicted with the CHECK constraint "CK_Products_NotOversold".',
      'CK_Products_NotOversold',
    ],
    [2627, "Violation of PRIMARY KEY constraint 'PK_Orders'. Cannot insert duplicate key", 'PK_Orders'],
    [2601, "Cannot insert duplicate key row in object 'dbo.T' with unique index 'UX_T_Id'.", 'UX_T_Id'],
    [208, "Invalid object name 'dbo.T'.", undefined],
  ])('%i: a refused write with the constraint', (number, message, constraint) => {
    expect(storeError(sent(number, message), input)).toMatchObject({ name: 'RefusedWrite', constraint });
  });

  it.each([2627, 2601, 547, 208])('%i names the statement and shows its text', (number) => {
    const error = storeError(sent(number), input);
    expect(error).not.toBeInstanceOf(TechnicalFailure);
    expect(error.message).toContain('orders.update');
    expect(error.message).toContain(': UPDATE Orders');
  });

  it('finds the number that matters among several errors, and says all of their texts', () => {
    const error = storeError(sent(3621, 'terminated', [sent(547, 'FK_Payments_Orders holds')]), input);
    expect(error.message).toContain('error 3621, 547');
    expect(error.message).toContain('FK_Payments_Orders holds');
    expect(leavesTransaction(sent(3621, 'terminated', [sent(547)]))).toBe(true);
  });

  it('looks through what an error was made of', () => {
    const wrapped = storeError(sent(1205), input);
    expect(isRerunnable(new Error('the step failed', { cause: wrapped }))).toBe(true);
    expect(isUniqueViolation(storeError(sent(2601), input))).toBe(true);
    const aborted = Object.assign(new Error('Transaction has been aborted.'), {
      code: 'EABORT',
      originalError: sent(1205),
    });
    expect(isRerunnable(aborted)).toBe(true);
  });

  it.each([
    [2627, true],
    [2601, true],
    [547, true],
    [515, true],
    [1205, false],
    [1222, false],
    [51_000, false],
    [3930, false],
    [208, false],
  ])('%i leaves the transaction standing: %s', (number, expected) => {
    expect(leavesTransaction(sent(number))).toBe(expected);
  });

  it('ends the transaction when the connection is lost or the statement timed out', () => {
    for (const code of ['ESOCKET', 'ETIMEOUT']) expect(leavesTransaction(lost(code))).toBe(false);
  });

  it.each([
    ['a lost connection', lost('ESOCKET')],
    ['a closed connection', lost('ECONNCLOSED')],
    ['a time-out', lost('ETIMEOUT')],
    ['a failover', sent(40_197)],
    ['an error nobody knows', sent(99_999)],
  ])('a commit that ends in %s has an unknown outcome', (_, error) => {
    expect(commitError(error, input)).toMatchObject({ type: 'OutcomeUnknown' });
  });

  it.each([
    ['no transaction (3902)', sent(3_902)],
    ['a doomed one (3930)', sent(3_930)],
    ['a full log (9002)', sent(9_002)],
    ['a deadlock', sent(1_205)],
    ['one the server had aborted', lost('EABORT')],
  ])('a commit of %s has certainly not happened', (_, error) => {
    expect(commitError(error, input)).toMatchObject({ type: 'StoreUnavailable' });
  });

  it('leaves our own errors as they are', () => {
    const own = new Error('Order 1 cannot be updated');
    expect(storeError(own, input)).toBe(own);
    const technical = new TechnicalFailure('StoreUnavailable', 'no place');
    expect(storeError(technical, input)).toBe(technical);
  });
});

describe('the driver', () => {
  it("still keeps a transaction's connection where a failed commit closes it", () => {
    const transaction = new mssql.Transaction();
    expect(connectionOf(transaction)).toBeUndefined();
    expect(String(transaction['acquire' as keyof typeof transaction])).toContain('this._acquiredConnection');
  });
});
