import { customerSentence } from '../domain/customer-words.ts';
import type { CustomerTask, EmailTask, MoneyBack } from '../domain/email-task.ts';
import { formatAmount, type Money } from '../domain/money.ts';

export interface EmailContent {
  subject: string;
  text: string;
  html: string;
}

type Block = { text: string } | { list: string[] };

/** The mail of one task, as text and as HTML with the same words. */
export function renderEmail(task: EmailTask): EmailContent {
  const { subject, blocks } = contentOf(task);
  return { subject, text: asText(blocks), html: asHtml(subject, blocks) };
}

function contentOf(task: EmailTask): { subject: string; blocks: Block[] } {
  if (task.template === 'help-desk') {
    return { subject: oneLine(task.subject), blocks: task.lines.map((line) => ({ text: oneLine(line) })) };
  }
  const greeting = { text: `Hello ${oneLine(task.customerName)},` };
  const items = { list: task.items.map(itemText) };
  const order = { text: `Your order number is ${task.orderId}.` };
  switch (task.template) {
    case 'order-confirmation': {
      const total = { text: `Total paid: ${amountOf(task.total)}` };
      const { currency } = task.total;
      const priced = task.items.map((item) =>
        item.amountMinor === undefined
          ? itemText(item)
          : `${itemText(item)}: ${amountOf({ amountMinor: item.amountMinor, currency })}`,
      );
      const shipping = task.shipping ? [`Shipping: ${amountOf(task.shipping)}`] : [];
      const lines = { list: [...priced, ...shipping] };
      const thanks = { text: 'thank you for your order. Your payment was received for:' };
      return { subject: 'Your order is confirmed', blocks: [greeting, thanks, lines, total, order] };
    }
    case 'order-shipped': {
      const { carrier, service, trackingCode } = task.shipment;
      const handed = { text: `your order is on its way with ${carrier} ${service}:` };
      const tracking = { text: `Tracking code: ${trackingCode}` };
      return { subject: 'Your order is on its way', blocks: [greeting, handed, items, tracking, order] };
    }
    case 'order-ended': {
      const [subject, what] = task.canceled
        ? ['Your order was canceled', 'your order was canceled:']
        : ['Your order cannot be delivered', 'we are sorry that your order cannot be delivered:'];
      const why = task.failureType && customerSentence(task.failureType);
      const reason = why === undefined ? [] : [{ text: why }];
      return { subject, blocks: [greeting, { text: what }, items, ...reason, ...moneyBack(task), order] };
    }
    case 'money-refunded': {
      const refunded = { text: `we have refunded ${amountOf(task.amount)} of your order:` };
      const when = { text: `It goes back to the payment method that you paid with. ${daysOfBanks}` };
      return { subject: 'Your refund is on its way', blocks: [greeting, refunded, items, when, order] };
    }
  }
}

const itemText = ({ productId, name, quantity }: CustomerTask['items'][number]): string =>
  `${quantity} x ${oneLine(name ?? productId)}`;

const amountOf = (money: Money): string => `${formatAmount(money)} ${money.currency}`;

/** As the payment provider states it. */
const daysOfBanks = 'Banks take 5 to 10 business days to show it.';

/** What becomes of the customer's money, and when. */
function moneyBack({ back, heldByBank, givenByBank, owed, chargeLeft }: MoneyBack): Block[] {
  const texts = [
    back && `${amountOf(back)} go back to the payment method that you paid with. ${daysOfBanks}`,
    heldByBank &&
      `Your bank holds ${amountOf(heldByBank)} until it has decided about your complaint. What it gives back to us, we refund to you.`,
    givenByBank && `Your bank has given you back ${amountOf(givenByBank)}.`,
    owed && `${amountOf(owed)} could not be refunded yet. We see to it and will write to you.`,
    chargeLeft &&
      'If our staff have taken a payment from you themselves, it does not go back by itself: please ask them about it.',
  ].filter((text) => text !== undefined);
  return (texts.length > 0 ? texts : ['Nothing was charged.']).map((text) => ({ text }));
}

function asText(blocks: readonly Block[]): string {
  const paragraphs = blocks.map((block) =>
    'text' in block ? block.text : block.list.map((line) => `  - ${line}`).join('\n'),
  );
  return `${paragraphs.join('\n\n')}\n`;
}

function asHtml(title: string, blocks: readonly Block[]): string {
  const head = `<meta charset="utf-8"><title>${escapeHtml(title)}</title>`;
  return `<!doctype html><html lang="en"><head>${head}</head><body>${blocks.map(htmlOf).join('')}</body></html>`;
}

const htmlOf = (block: Block): string =>
  'text' in block
    ? `<p>${escapeHtml(block.text)}</p>`
    : `<ul>${block.list.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (found) => escapes[found] ?? '');

/** A name cannot add lines that look like ours. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
