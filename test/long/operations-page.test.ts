import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { customerId } from '../../domain/ids.ts';
import { projectFolder } from '../../infra/runtime-folder.ts';
import { orderStatuses, sagaStates, type Checkout, type OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder, setShippingAddress } from '../../workflows/messages.ts';
import { act, newOrderId, type StartedOrder } from '../e2e/saga-suite.ts';
import { goodAddress, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { bankOf } from '../support/customer-bank.ts';
import { startOwnProduct, type OwnProduct } from '../support/own-product.ts';

const page = readFileSync(join(projectFolder, 'docs/operations.md'), 'utf8');

/** The page's code blocks of a language, each with the heading it stands under. */
function blocksOf(language: string): { heading: string; commands: string }[] {
  return page.split(/^## /m).flatMap((section, index) => {
    const heading = index === 0 ? 'Before anything else' : (section.split('\n')[0] ?? '');
    const blocks = section.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'));
    return [...blocks].map(([, commands = '']) => ({ heading, commands }));
  });
}

/** On a machine that has much else to do. */
const PATIENCE_MS = 90_000;

const down = { kind: 'outage', mode: '503' } as const;
const small = { attemptTimeoutMs: 4_000, budgetMs: 4_000, maximumIntervalMs: 200 };
const at = (street1: string) => ({ shippingAddress: { ...goodAddress, street1 } });

/** How an order comes into a section's situation, and where its commands take it. */
interface Situation {
  checkout?: Partial<Checkout>;
  policy?: PolicyChanges;
  fault?: FaultRuleInput;
  arrived: (view: OrderView) => boolean;
  /** Done in the hold on the way. */
  lead?: (order: StartedOrder, saga: SagaEnvironment) => Promise<unknown>;
  /** Done on arrival. */
  last?: (order: StartedOrder, api: string) => Promise<unknown>;
  /** Statuses one of which the order has after any of the section's blocks. */
  then: OrderView['status'][];
  /** The same for blocks that contain the text. */
  unless?: Record<string, OrderView['status'][]>;
}

const held = ({ hold }: OrderView) => hold !== undefined;
const completed = ({ status }: OrderView) => status === 'completed';
const labelsDown: FaultRuleInput = { provider: 'easypost', operation: 'shipments.create', ...down };
const parkedAtShipping = {
  fault: labelsDown,
  policy: { steps: { shipping: small } },
  arrived: ({ sagaState }: OrderView) => sagaState === 'parked',
};

const situations: Record<string, Situation> = {
  'Before anything else': { arrived: completed, then: ['completed'] },
  'Card declined': {
    checkout: { paymentMethodId: 'pm_card_chargeDeclined' },
    arrived: held,
    then: ['completed'],
    unless: { 'orders extend': ['payment_failed'] },
  },
  'Address refused': { checkout: at('UNDELIVERABLE 1'), arrived: held, then: ['completed'] },
  'Awaiting approval': {
    policy: { approval: { aboveMinor: { INR: 1 } } },
    arrived: held,
    then: ['completed'],
    unless: { 'orders cancel': ['cancelled'] },
  },
  'Charge disputed before shipping': {
    checkout: at('LABEL-REFUSED 1'),
    lead: async (order, saga) => {
      await bankOf(saga).dispute(order.orderId);
      await order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
    },
    arrived: ({ hold }) => hold?.status === 'payment_disputed',
    then: ['payment_disputed'],
    unless: { 'orders cancel': ['payment_disputed', 'cancelled'] },
  },
  'Carrier down': {
    ...parkedAtShipping,
    then: ['completed'],
    unless: { 'providers pause': ['fulfillment_created'] },
  },
  'Stuck compensation': {
    checkout: at('LABEL-REFUSED 1'),
    policy: { compensation: small },
    fault: { provider: 'stripe', operation: 'refunds.create', ...down },
    lead: (order) => order.executeUpdate(cancelOrder, { args: [act] }),
    arrived: ({ parked }) => parked?.activity === 'refundPayment',
    then: ['cancelled'],
  },
  'Poison message': {
    checkout: { customerEmail: 'refused@customers.example' },
    arrived: completed,
    last: ({ orderId }, api) =>
      until(
        async () =>
          (await fetch(`${api}/dead-letters?orderId=${orderId}`)).json() as Promise<{ total: number }>,
        ({ total }) => total > 0,
      ),
    then: ['completed'],
  },
  'Wrong price': { arrived: completed, then: ['completed'] },
  'Order to be stopped now': { checkout: at('LABEL-REFUSED 1'), arrived: held, then: ['cancelled'] },
  'Terminated run': {
    ...parkedAtShipping,
    last: (order) => order.terminate('by mistake'),
    then: ['completed'],
    unless: { 'cases compensate': ['cancelled'] },
  },
  'Reset and repair': { ...parkedAtShipping, then: ['completed', 'fulfillment_created'] },
  'Refund and dispute': { arrived: completed, then: ['completed'] },
  'Personal data': {
    checkout: { customerId: customerId('customer-42') },
    arrived: completed,
    then: ['completed'],
  },
};

describe('the commands of docs/operations.md', () => {
  let own: OwnProduct | undefined;
  let saga: OwnProduct['saga'];
  let product: OwnProduct['product'];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-operations-'));
    await symlink(inject('temporalCli'), join(folder, 'temporal'));
    own = await startOwnProduct('operations', { CASE_SWEEP_SECONDS: '1' });
    ({ saga, product } = own);
  });
  afterAll(async () => {
    await own?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a block as people paste it, whatever Node the machine has. */
  const run = (commands: string, orderId: string) =>
    promisify(execFile)('bash', ['--norc', '-e', '-c', commands], {
      cwd: projectFolder,
      env: {
        ...process.env,
        PATH: `${folder}:${process.env['PATH']}`,
        TEMPORAL_ADDRESS: inject('temporalAddress'),
        ORDER: orderId,
        ORDER_SAGA_API: product.api,
      },
    });

  /** A busy machine answers 503, or that the workflow is busy: repeat. What had taken effect all the same is then refused. */
  async function runPatiently(commands: string, orderId: string): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const result = await run(commands, orderId).catch((error: Error & { stderr?: string }) => error);
      if (!(result instanceof Error)) return result.stdout;
      const { stderr = '' } = result;
      if (tries > 1 && /^409 /m.test(stderr)) return stderr;
      if (tries > 5 || !/^503 |Workflow is busy/m.test(stderr)) throw result;
    }
  }

  async function arrive({ checkout, policy, fault, lead, arrived, last }: Situation): Promise<StartedOrder> {
    const orderId = newOrderId();
    if (fault) await saga.addFault({ ...fault, id: orderId, match: { orderId } });
    const order = await saga.start({ ...checkout, orderId }, policy);
    if (lead) {
      await saga.until(orderId, held, PATIENCE_MS);
      await lead(order, saga);
    }
    await saga.until(orderId, arrived, PATIENCE_MS);
    await last?.(order, product.api);
    return order;
  }

  const statusOf = async ({ orderId }: StartedOrder) => (await saga.deps.store.read.order(orderId))?.status;

  /** What the section says is to be seen: one of its statuses and saga states, where it names any. */
  async function expectSeen(heading: string, { orderId }: StartedOrder): Promise<void> {
    const [, paragraph = ''] =
      new RegExp(`^## ${heading}\\n\\n\\*\\*You see\\*\\*([^]*?)\\n\\n`, 'm').exec(page) ?? [];
    const words = [...paragraph.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);
    const seen = { status: orderStatuses as readonly string[], sagaState: sagaStates as readonly string[] };
    for (const name of ['status', 'sagaState'] as const) {
      const said = words.filter((word) => seen[name].includes(word));
      if (said.length === 0) continue;
      await until(
        () => saga.deps.store.read.order(orderId),
        (view) => said.includes(view?.[name] ?? ''),
        20_000,
      );
    }
  }

  test('an order waits for a carrier that is down beyond its retry window, is not parked, and ships by itself', async () => {
    expect(page).toContain('no order fails and none is parked');
    await run('npm run -s ops -- providers pause carrier --reason "an outage"', '');
    try {
      /* Until the workers have read the switch, the carrier itself sells no label. */
      const orderId = newOrderId();
      await saga.addFault({ ...labelsDown, id: orderId, match: { orderId } });
      await saga.start({ orderId }, { steps: { shipping: small, address: small } });
      const view = await saga.until(orderId, ({ waitingFor }) => waitingFor !== undefined, PATIENCE_MS);
      expect(view).toMatchObject({ status: 'fulfillment_created', sagaState: 'running' });
      await setTimeout(2 * small.budgetMs);
      expect(await saga.deps.store.read.order(orderId)).toMatchObject({ sagaState: 'running' });
      await saga.removeFault(orderId);
      await run('npm run -s ops -- providers resume carrier --reason "it is back"', '');
      await saga.until(orderId, completed, PATIENCE_MS);
    } finally {
      await run('npm run -s ops -- providers resume carrier --reason "over"', '').catch(() => undefined);
    }
  });

  test('there is a situation for each section with commands', () => {
    expect(new Set(blocksOf('sh').map(({ heading }) => heading))).toEqual(new Set(Object.keys(situations)));
  });

  test.each(blocksOf('sh').map((block, index) => ({ ...block, name: `${block.heading}, block ${index}` })))(
    '$name',
    async ({ heading, commands }) => {
      const situation = situations[heading];
      if (!situation) throw new Error(`Nobody leads an order to "${heading}"`);
      const order = await arrive(situation);
      await expectSeen(heading, order);
      await saga.removeFault(order.orderId).catch(() => undefined);
      const said = await runPatiently(commands, order.orderId);
      const [, other] =
        Object.entries(situation.unless ?? {}).find(([text]) => commands.includes(text)) ?? [];
      const expected = other ?? situation.then;
      if (!commands.startsWith('npm run -s temporal -- workflow signal')) expect(said).not.toBe('');
      await until(
        () => statusOf(order),
        (status) => status !== undefined && expected.includes(status),
        PATIENCE_MS,
      );
    },
  );

  test("each signal in tctl's spelling is one that was executed", () => {
    const executed = blocksOf('sh')
      .map(({ commands }) => commands)
      .join('');
    const lines = blocksOf('tctl').flatMap(({ commands }) => commands.trim().split('\n'));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
      const same = line
        .replace('tctl workflow', 'npm run -s temporal -- workflow')
        .replace('--workflow_id', '--workflow-id');
      expect(executed).toContain(same);
    }
  });
});
