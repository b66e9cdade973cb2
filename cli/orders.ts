import { userInfo } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { resolveActions, type ResolveAction } from '../domain/order.ts';
import { actOnOne, actOnOrders, followAct, type ActOptions, type Kind } from './order-acts.ts';
import type { CliDeps } from './deps.ts';
import {
  listText,
  orderText,
  type OrderAnswer,
  type OrderListAnswer,
  type WhyAnswer,
} from './order-tables.ts';
import { orderIdOf } from './order-ids.ts';
import { parseWhere, whereHelp } from './order-where.ts';
import { refund, type RefundOptions } from './refund-order.ts';
import { watchOrder } from './watch-order.ts';

interface ListOptions {
  owed?: boolean;
  where?: string;
  limit: string;
  cursor?: string;
  quiet?: boolean;
  json?: boolean;
}

interface PersonOptions {
  reason: string;
  actor: string;
  dryRun?: boolean;
  json?: boolean;
  key?: string;
}

interface AddressOptions extends PersonOptions {
  name: string;
  street1: string;
  street2?: string;
  city?: string;
  state?: string;
  postalCode?: string;
  country: string;
  phone?: string;
}

/** `orders …`: everything that can be seen of orders and done about them, over the HTTP API. */
export function ordersCommand(deps: CliDeps): Command {
  const command = new Command('orders').description('orders: see them, follow them, step in');
  addReading(deps, command);
  addActs(deps, command);
  addActsOnOne(deps, command);
  return command;
}

function addReading(deps: CliDeps, command: Command): void {
  command
    .command('list')
    .description('orders, newest first')
    .option('--where <conditions>', whereHelp)
    .option('--owed', 'instead: orders that owe their customer until a dispute is over')
    .option('--limit <count>', 'orders to show, at most 100', '20')
    .option('--cursor <cursor>', 'where the page before ended')
    .option('-q, --quiet', 'the ids alone, one a line')
    .option('--json', 'JSON instead of a table')
    .action((options: ListOptions) => list(deps, options));
  command
    .command('show <order>')
    .description('one order: where it is, what happened, what happens next')
    .option('--json', 'JSON instead of a table')
    .action((id: string, options: { json?: boolean }) => show(deps, id, options));
  command
    .command('watch <order>')
    .description('prints what happens to an order until it has ended')
    .option('--json', 'a line of JSON for each change')
    .action((id: string, options: { json?: boolean }) => watchOrder(deps, id, options));
  command
    .command('progress <act>')
    .description('how far an act on many orders has come, and its report')
    .option('--stop', 'stops it after the orders at hand')
    .option('--json', 'JSON instead of text')
    .action((id: string, options: { stop?: boolean; json?: boolean }) => followAct(deps, id, options));
}

/** Acts that make sense on many orders alike. */
function addActs(deps: CliDeps, command: Command): void {
  const add = (kind: Kind, description: string): Command =>
    actsInBulk(command.command(`${kind} [orders...]`).description(description)).action(
      (ids: string[], options: ActOptions) => actOnOrders(deps, kind, ids, options),
    );
  add('cancel', 'takes orders back; refused once the label is being bought');
  add('approve', 'lets orders pass that wait for approval');
  add('resolve', 'moves parked orders on; `show` says which actions are allowed')
    .addOption(
      new Option('--action <action>', 'what to do about the parked step')
        .choices(resolveActions)
        .default('retry' satisfies ResolveAction),
    )
    .option('--service <name>', 'another carrier service, for retry-with')
    .option('--payment-method <id>', 'another payment method, for retry-with')
    .option('--reference <id>', 'the provider’s id of what was done, for mark-done; one order only')
    .option('--confirm-differences', 'mark-done a label although its name, street or city differ');
  add('extend', 'gives held orders a later deadline')
    .option('--until <time>', 'the new deadline, ISO 8601 in UTC')
    .option('--minutes <count>', 'the new deadline, in minutes from now', wholeNumber);
}

const actsInBulk = (command: Command): Command =>
  keyed(byPerson(command))
    .option('--where <conditions>', `instead of orders: ${whereHelp}`)
    .option('--rate <count>', 'most orders a second (default 10)', wholeNumber)
    .option('--no-wait', 'do not wait for the end of an act on many')
    .option('-y, --yes', 'do not ask before more than one');

const keyed = (command: Command): Command =>
  command.option('--key <text>', 'names this act: the same key and words are the same act');

const byPerson = (command: Command): Command =>
  command
    .requiredOption('--reason <text>', 'why; ends up in the audit trail')
    .option('--customer-message <text>', 'what the shop and the customer may read of it')
    .option('--actor <name>', 'who acts', userInfo().username)
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'JSON instead of text');

function addActsOnOne(deps: CliDeps, command: Command): void {
  keyed(byPerson(command.command('retry-payment <order>').description('tries another payment method')))
    .requiredOption('--payment-method <id>', 'the payment provider’s id of it')
    .action((id: string, options: PersonOptions & { paymentMethod: string }) =>
      actOnOne(deps, id, { ...options, path: 'payment', body: { paymentMethodId: options.paymentMethod } }),
    );
  keyed(byPerson(command.command('set-address <order>').description('replaces the shipping address')))
    .requiredOption('--name <text>', 'of who receives it')
    .requiredOption('--street1 <text>', 'street and number')
    .option('--street2 <text>', 'second line')
    .option('--city <text>', 'city, where the country’s addresses have one')
    .option('--state <text>', 'state or province, where the country’s addresses have one')
    .option('--postal-code <code>', 'postal code, where the country has them')
    .requiredOption('--country <code>', 'ISO 3166-1 alpha-2, such as IN')
    .option(
      '--phone <number>',
      'of who receives it, such as +918012345678; required for a parcel through customs',
    )
    .action((id: string, options: AddressOptions) => setAddress(deps, id, options));
  byPerson(command.command('refund <order>').description('gives money back; all that is left, or a part'))
    .option('--amount <decimal>', 'a part, such as 500.00')
    .option('--currency <code>', 'of the amount; by default the order’s')
    .option('--paid-otherwise', 'sends nothing: what was owed has been paid past the payment provider')
    .option('--key <text>', 'names this refund: the same key refunds once; required without a terminal')
    .option('--confirm-same-amount', 'the same amount went back within 24 hours, and is to go back once more')
    .option('-y, --yes', 'do not ask')
    .action((id: string, options: RefundOptions) => refund(deps, id, options));
}

async function list(deps: CliDeps, options: ListOptions): Promise<void> {
  const { where, owed, limit, cursor, quiet, json } = options;
  const query = new URLSearchParams({ ...(where === undefined ? {} : parseWhere(where)), limit });
  if (owed) query.set('owed', 'true');
  if (cursor !== undefined) query.set('cursor', cursor);
  const answer = await deps.client().send<OrderListAnswer>('GET', `/orders?${query.toString()}`);
  if (quiet) return deps.print(answer.orders.map(({ orderId }) => orderId).join('\n'));
  deps.print(json ? JSON.stringify(answer, null, 2) : listText(answer));
}

async function show(deps: CliDeps, text: string, { json }: { json?: boolean }): Promise<void> {
  const client = deps.client();
  const path = pathOf(await orderIdOf(client, text));
  const order = await client.send<OrderAnswer>('GET', path);
  /* The story is in the store alone, which may be away; the order itself is told all the same. */
  const why = await client.send<WhyAnswer>('GET', `${path}/why`).catch(() => undefined);
  deps.print(json ? JSON.stringify({ ...order, why }, null, 2) : orderText(order, why));
}

function setAddress(deps: CliDeps, id: string, options: AddressOptions): Promise<void> {
  const { name, street1, street2, city, state, postalCode, country, phone } = options;
  const body = { name, street1, street2, city, state, postalCode, country, phone };
  return actOnOne(deps, id, { ...options, method: 'PUT', path: 'shipping-address', body });
}

const pathOf = (id: string): string => `/orders/${encodeURIComponent(id)}`;

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1');
}
