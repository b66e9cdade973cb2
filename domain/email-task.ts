import type { FailureType } from './failures.ts';
import { isCurrency, type Money } from './money.ts';
import type { ShipmentView } from './order.ts';

/** Type, version and AMQP priority of each email task. A changed payload gets a new version beside the old one. */
export const emailTasks = {
  'order-confirmation': { type: 'email.order-confirmation.v1', priority: 9 },
  'order-shipped': { type: 'email.order-shipped.v1', priority: 5 },
  'order-ended': { type: 'email.order-ended.v1', priority: 5 },
  'money-refunded': { type: 'email.money-refunded.v1', priority: 5 },
  /** To the help desk, not to a customer: an order waits for a person. */
  'help-desk': { type: 'email.help-desk.v1', priority: 7 },
} as const;

/** Templates of mails that the saga asks for beside the order's path. */
export type EmailTemplate = 'order-confirmation' | 'order-shipped';

interface MailItem {
  productId: string;
  quantity: number;
  /** Absent in mails of earlier versions. */
  name?: string;
  amountMinor?: number;
}

interface EmailTaskFacts {
  /** UUID, the outbox message's id: one task is one mail. */
  taskId: string;
  /** The customer's address. Personal data: tasks hold it, events never do. */
  to: string;
  orderId: string;
  customerName: string;
  /** As the catalog named them when the mail was written; without an amount where the order is not priced. */
  items: MailItem[];
}

/** What becomes of the money of an order that ended without shipping; nothing was charged where all is absent. */
export interface MoneyBack {
  /** Refunded, or on its way. */
  back?: Money;
  /** The customer's bank holds it until it has decided. */
  heldByBank?: Money;
  /** The customer's bank has given it back. */
  givenByBank?: Money;
  /** Could not be refunded yet. */
  owed?: Money;
  /** Somebody has charged at the payment provider by hand, and a person has left that as it is. */
  chargeLeft?: true;
}

export type CustomerTask =
  | (EmailTaskFacts & { template: 'order-confirmation'; total: Money; shipping?: Money })
  | (EmailTaskFacts & { template: 'order-shipped'; total?: Money; shipment: ShipmentView })
  | (EmailTaskFacts & {
      template: 'order-ended';
      canceled: boolean;
      /** Why it failed; absent where it was canceled, and in mails of earlier versions. */
      failureType?: FailureType;
    } & MoneyBack)
  | (EmailTaskFacts & { template: 'money-refunded'; amount: Money });

/** Payload of a message on the email queue. */
export type EmailTask = CustomerTask | HelpDeskTask;

export interface HelpDeskTask {
  taskId: string;
  template: 'help-desk';
  to: string;
  orderId: string;
  subject: string;
  /** Paragraphs. */
  lines: string[];
}

export type ParsedEmailTask = { ok: true; task: EmailTask } | { ok: false; reason: string };

/** Checks a payload from the wire. The reason names the field, what was expected and what came. */
export function parseEmailTask(value: unknown): ParsedEmailTask {
  const refused = refusal(value);
  return refused === undefined ? { ok: true, task: value as EmailTask } : { ok: false, reason: refused };
}

function refusal(value: unknown): string | undefined {
  if (!isRecord(value)) return expected('the payload', 'an object', value);
  if (typeof value['template'] !== 'string' || !Object.hasOwn(emailTasks, value['template'])) {
    return expected('template', Object.keys(emailTasks).join(' or '), value['template']);
  }
  if (value['template'] === 'help-desk') {
    const texts = ['taskId', 'to', 'orderId', 'subject'];
    return textRefusal(value, texts) ?? addressRefusal(value['to']) ?? linesRefusal(value['lines']);
  }
  return (
    textRefusal(value, ['taskId', 'to', 'orderId', 'customerName']) ??
    addressRefusal(value['to']) ??
    itemsRefusal(value['items']) ??
    partsRefusal(value)
  );
}

function textRefusal(value: Record<string, unknown>, fields: readonly string[]): string | undefined {
  for (const field of fields) {
    if (!isText(value[field])) return expected(field, 'a text that is not empty', value[field]);
  }
  return undefined;
}

/** A line break would let a payload write mail headers of its own. */
function addressRefusal(to: unknown): string | undefined {
  return /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(to as string) ? undefined : expected('to', 'one mail address', to);
}

function itemsRefusal(items: unknown): string | undefined {
  if (!Array.isArray(items) || items.length === 0) return expected('items', 'at least one item', items);
  const fits = items.every(
    (item) =>
      isRecord(item) &&
      isText(item['productId']) &&
      Number.isSafeInteger(item['quantity']) &&
      (item['name'] === undefined || isText(item['name'])) &&
      (item['amountMinor'] === undefined || Number.isSafeInteger(item['amountMinor'])),
  );
  return fits
    ? undefined
    : expected('items', 'productId, a whole quantity, and a name and amount or none, in each', items);
}

const linesRefusal = (lines: unknown): string | undefined =>
  Array.isArray(lines) && lines.length > 0 && lines.every(isText)
    ? undefined
    : expected('lines', 'at least one text', lines);

function partsRefusal(value: Record<string, unknown>): string | undefined {
  const { template, total, shipment, shipping } = value;
  if (shipping !== undefined && !isMoney(shipping)) {
    return expected('shipping', 'money in minor units with its currency', shipping);
  }
  if ((template === 'order-confirmation' || total !== undefined) && !isMoney(total)) {
    return expected('total', 'money in minor units with its currency', total);
  }
  if (template === 'order-shipped' && !isShipment(shipment)) {
    return expected('shipment', 'carrier, service, trackingCode and labelUrl', shipment);
  }
  return template === 'order-ended' || template === 'money-refunded' ? moneyRefusal(value) : undefined;
}

function moneyRefusal(value: Record<string, unknown>): string | undefined {
  if (value['template'] === 'order-ended' && typeof value['canceled'] !== 'boolean')
    return expected('canceled', 'true or false', value['canceled']);
  if (value['failureType'] !== undefined && !isText(value['failureType']))
    return expected('failureType', 'a text that is not empty', value['failureType']);
  if (value['chargeLeft'] !== undefined && value['chargeLeft'] !== true)
    return expected('chargeLeft', 'true or nothing', value['chargeLeft']);
  const needed = value['template'] === 'money-refunded' ? ['amount'] : [];
  const given = ['back', 'heldByBank', 'givenByBank', 'owed'].filter((field) => value[field] !== undefined);
  const wrong = [...needed, ...given].find((field) => !isMoney(value[field]));
  return wrong && expected(wrong, 'money in minor units with its currency', value[wrong]);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

const isMoney = (value: unknown): boolean =>
  isRecord(value) &&
  Number.isSafeInteger(value['amountMinor']) &&
  typeof value['currency'] === 'string' &&
  isCurrency(value['currency']);

const isShipment = (value: unknown): boolean =>
  isRecord(value) &&
  ['carrier', 'service', 'trackingCode', 'labelUrl'].every((field) => isText(value[field]));

/** Types only: the values are personal data and end up in logs and dead letters. */
function expected(field: string, what: string, came: unknown): string {
  const kind = came === null ? 'null' : Array.isArray(came) ? 'a list' : typeof came;
  return `${field}: expected ${what}, came ${kind === 'string' ? 'another text' : kind}`;
}
