import type { IntentRecord } from '../records.ts';
import { invalidRequest } from './stripe-errors.ts';

const CLAUSE =
  /^\s*(?:metadata\[(["'])(?<key>.+?)\1\]|(?<field>status|currency|amount))\s*:\s*(?<value>"[^"]*"|'[^']*'|\d+)\s*/;

export interface Search {
  /** Set when a clause names the order or the operation, which are indexed. */
  orderId: string | undefined;
  operationKey: string | undefined;
  matches(intent: IntentRecord): boolean;
}

type Clause = { key: string | undefined; field: string | undefined; value: string };

const clausesOf = (query: string): Clause[] => {
  const clauses: Clause[] = [];
  let rest = query;
  while (rest.trim() !== '') {
    const groups = CLAUSE.exec(rest)?.groups;
    if (!groups) throw unreadable(query);
    clauses.push({
      key: groups.key,
      field: groups.field,
      value: (groups.value ?? '').replace(/^["']|["']$/g, ''),
    });
    rest = rest.replace(CLAUSE, '').replace(/^AND\b/i, '');
  }
  return clauses;
};

const unreadable = (query: string) =>
  invalidRequest(
    `We were unable to parse the query '${query}'. The sandbox reads clauses such as metadata['orderId']:'1', status:'succeeded', currency:'inr' and amount:100, joined by AND.`,
    { param: 'query' },
  );

/** Reads the part of Stripe's search query language that looking up a payment needs. */
export const parseSearch = (query: string): Search => {
  const clauses = clausesOf(query);
  if (clauses.length === 0) throw unreadable(query);
  return {
    orderId: clauses.find(({ key }) => key === 'orderId' || key === 'order_id')?.value,
    operationKey: clauses.find(({ key }) => key === 'operationKey')?.value,
    matches: (intent) =>
      clauses.every(({ key, field, value }) =>
        key === undefined
          ? String(intent[field as 'status' | 'currency' | 'amount']) === value
          : intent.metadata[key] === value,
      ),
  };
};
