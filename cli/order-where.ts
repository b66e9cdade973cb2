import { ageFormat, parseAgeMs } from '../domain/age.ts';
import { providerNames } from '../domain/providers.ts';
import { orderStatuses, sagaStates, stepNames } from '../domain/order.ts';

/** Conditions as the API takes them: names of query parameters and their values. */
export type Where = Record<string, string>;

interface Field {
  /** Parameter of the API for each operator. */
  operators: Record<string, string>;
  expected: string;
  fits(value: string): boolean;
}

const oneOf = (parameter: string, values: readonly string[]): Field => ({
  operators: { '=': parameter },
  expected: values.join(', '),
  fits: (value) => values.includes(value),
});

const fields: Record<string, Field> = {
  status: oneOf('status', orderStatuses),
  state: oneOf('sagaState', sagaStates),
  step: oneOf('step', stepNames),
  failure: {
    operators: { '=': 'failureType' },
    expected: 'the name of a failure, such as ProviderUnavailable',
    fits: (value) => /^[A-Za-z]{1,64}$/.test(value),
  },
  customer: {
    operators: { '=': 'customerId' },
    expected: 'a customer id: 1 to 64 of A-Z a-z 0-9 . _ -',
    fits: (value) => /^[A-Za-z0-9._-]{1,64}$/.test(value),
  },
  retrying: {
    operators: { '>': 'retryingMoreThan' },
    expected: 'a whole number: attempts of a step that have failed',
    fits: (value) => /^\d{1,6}$/.test(value),
  },
  waiting: oneOf('waitingFor', providerNames),
  age: {
    operators: { '>': 'olderThan', '<': 'youngerThan' },
    expected: ageFormat,
    fits: (value) => parseAgeMs(value) !== undefined,
  },
};

export const whereHelp =
  'conditions, all of which must hold: status=… state=… step=… (where it is parked) failure=… customer=… ' +
  'retrying>5 waiting=carrier age>30m age<7d';

/**
 * Conditions such as `step=shipping age>30m failure=ProviderUnavailable`, separated by spaces. Throws with what was
 * expected, for nothing at all as well: "all orders" is no condition.
 */
export function parseWhere(text: string): Where {
  const conditions = text.split(/\s+/).filter((part) => part !== '');
  if (conditions.length === 0) throw refusal(text, `expected ${whereHelp}`);
  const where: Where = {};
  for (const condition of conditions) {
    const [parameter, value] = parseCondition(condition);
    if (parameter in where) throw refusal(condition, 'this is asked twice; all conditions must hold at once');
    where[parameter] = value;
  }
  return where;
}

function parseCondition(condition: string): [parameter: string, value: string] {
  const [, name = '', operator = '', value = ''] = /^([a-zA-Z]+)([=<>])(.*)$/.exec(condition) ?? [];
  if (name === '') throw refusal(condition, 'expected name=value without spaces, such as step=shipping');
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!field) throw refusal(condition, `expected one of ${Object.keys(fields).join(', ')}`);
  const parameter = field.operators[operator];
  if (!parameter) {
    const forms = Object.keys(field.operators).map((known) => `${name}${known}…`);
    throw refusal(condition, `expected ${forms.join(' or ')}`);
  }
  if (!field.fits(value)) throw refusal(condition, `expected ${field.expected}`);
  return [parameter, value];
}

const refusal = (part: string, reason: string): Error => new Error(`--where: "${part}": ${reason}`);
