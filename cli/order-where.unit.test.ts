import { expect, it } from 'vitest';
import { parseWhere } from './order-where.ts';

it('reads conditions into parameters of the API', () => {
  expect(parseWhere('step=shipping age>30m  failure=ProviderUnavailable')).toEqual({
    step: 'shipping',
    olderThan: '30m',
    failureType: 'ProviderUnavailable',
  });
  expect(parseWhere(' status=payment_failed state=held customer=c-42 age<7d age>1h ')).toEqual({
    status: 'payment_failed',
    sagaState: 'held',
    customerId: 'c-42',
    youngerThan: '7d',
    olderThan: '1h',
  });
});

it('knows what keeps failing, and what waits for a provider', () => {
  expect(parseWhere('retrying>5 waiting=carrier')).toEqual({
    retryingMoreThan: '5',
    waitingFor: 'carrier',
  });
});

it.each([
  ['retrying=5', 'expected retrying>…'],
  ['waiting=post', 'expected payments, carrier'],
  ['', 'expected conditions'],
  ['   ', 'expected conditions'],
  ['shipping', '"shipping": expected name=value without spaces, such as step=shipping'],
  ['step = shipping', '"step": expected name=value without spaces'],
  [
    'colour=red',
    '"colour=red": expected one of status, state, step, failure, customer, retrying, waiting, age',
  ],
  ['__proto__=x', 'expected name=value'],
  ['constructor=x', 'expected one of'],
  ['status=paid', '"status=paid": expected received, inventory_reserved, payment_processed'],
  ['state=stuck', 'expected running, held, parked, compensating, ended'],
  ['step=', 'expected receive, inventory'],
  ['step>shipping', '"step>shipping": expected step=…'],
  ['age=30m', '"age=30m": expected age>… or age<…'],
  ['age>half', '"age>half": expected a whole number with s, m, h or d, such as 30m'],
  ["customer=x'", 'expected a customer id'],
  ['failure=Provider-Unavailable', 'expected the name of a failure'],
  ['step=payment step=shipping', '"step=shipping": this is asked twice'],
])('refuses %j and says what it expected', (text, message) => {
  expect(() => parseWhere(text)).toThrow(message);
});
