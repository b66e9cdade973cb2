import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import { projectFolder } from '../../infra/runtime-folder.ts';
import { newOrderId, type StartedOrder } from '../e2e/saga-suite.ts';
import { until } from '../setup/saga-environment.ts';
import { startOwnProduct, type OwnProduct } from '../support/own-product.ts';
import { runbookOf, runbookPage } from '../support/runbook.ts';

/** On a machine that has much else to do. */
const PATIENCE_MS = 90_000;

const small = { attemptTimeoutMs: 4_000, budgetMs: 4_000, maximumIntervalMs: 200 };

/** Every command of the page, as it is written there. */
const commands = [...runbookPage.matchAll(/`(npm run [^`]+)`/g)]
  .map(([, command = '']) => command)
  .concat([...runbookPage.matchAll(/^(npm run .*?) *#/gm)].map(([, command = '']) => command));

describe('the statements and commands of docs/runbook.md', () => {
  const pasted = new Set<string>();
  let own: OwnProduct | undefined;
  let saga: OwnProduct['saga'];
  let product: OwnProduct['product'];

  beforeAll(async () => {
    own = await startOwnProduct('runbook', { CASE_SWEEP_SECONDS: '1' });
    ({ saga, product } = own);
  });
  afterAll(() => own?.close());

  /** Pastes a command that stands on the page, with what it leaves open filled in; answers what it says. */
  async function paste(command: string, facts: { id?: OrderId; provider?: string } = {}): Promise<string> {
    expect(commands).toContain(command);
    pasted.add(command);
    const { id = '', provider = '' } = facts;
    const line = command
      .replace('<orderId>', id)
      .replace('<provider>', provider)
      .replace(/--reason (?:"…"|…)/, '--reason "as the runbook says"');
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-e', '-c', line], {
      cwd: projectFolder,
      env: { ...process.env, SQL_URL: saga.env['SQL_URL'], ORDER_SAGA_API: product.api },
    });
    return stdout;
  }
  const repeatedly = (command: string, holds: (said: string) => boolean): Promise<string> =>
    until(() => paste(command), holds, PATIENCE_MS);

  const stateOf = async ({ orderId }: StartedOrder) => {
    const view = await saga.deps.store.read.order(orderId);
    return view && { status: view.status, sagaState: view.sagaState };
  };
  const completes = (order: StartedOrder) =>
    until(
      () => stateOf(order),
      (state) => state?.status === 'completed',
      PATIENCE_MS,
    );
  const noLabel = async (orderId: OrderId) => {
    const fault = {
      provider: 'easypost',
      operation: 'shipments.create',
      kind: 'outage',
      mode: '503',
    } as const;
    await saga.addFault({ ...fault, id: orderId, match: { orderId } });
  };
  const parkedOrder = async (): Promise<StartedOrder> => {
    const orderId = newOrderId();
    await noLabel(orderId);
    const order = await saga.start({ orderId }, { steps: { shipping: small } });
    /* The run says so before SQL does, which the page's commands read. */
    await until(
      () => stateOf(order),
      (state) => state?.sagaState === 'parked',
      PATIENCE_MS,
    );
    return order;
  };

  test('OrderParked: it waits for an operator, nothing was rolled back, and resolve moves it on', async () => {
    expect(runbookOf('OrderParked')).toContain('The order waits for an operator; nothing was rolled back.');
    const order = await parkedOrder();
    const { orderId: id } = order;
    expect(await stateOf(order)).toEqual({ status: 'fulfillment_created', sagaState: 'parked' });
    const rows = await saga.deps.store.read.audit(`order:${id}`);
    expect(rows.filter(({ to }) => ['released', 'refunded', 'compensating'].includes(to))).toEqual([]);
    const listed = await repeatedly('npm run -s ops -- orders list --where state=parked', (said) =>
      said.includes(id),
    );
    expect(listed).toContain('shipping');
    const shown = await paste('npm run -s ops -- orders show <orderId>', { id });
    expect(shown).toMatch(/503/);
    expect(shown).toMatch(/retry/);
    await saga.removeFault(id);
    await paste('npm run -s ops -- orders resolve <orderId> --reason "…"', { id });
    await completes(order);
  });

  test('OrdersWithoutRun: nobody carries it on until a case is restarted', async () => {
    expect(runbookOf('OrdersWithoutRun')).toContain('nobody carries them on');
    const order = await parkedOrder();
    const { orderId: id } = order;
    await order.terminate('by mistake');
    await repeatedly('npm run -s ops -- cases list', (said) => said.includes(id));
    await saga.removeFault(id);
    expect(await stateOf(order)).toMatchObject({ status: 'fulfillment_created' });
    await paste('npm run -s ops -- cases restart <orderId> --reason …', { id });
    await completes(order);
  });

  test('ProviderPaused: orders wait for it, are not parked, and go on once it is resumed', async () => {
    expect(runbookOf('ProviderPaused')).toContain('orders wait for it');
    const pause = 'npm run -s ops -- providers pause <provider> --reason "…"';
    await paste(pause, { provider: 'carrier' });
    const orderId = newOrderId();
    try {
      /* Until the workers have read the switch, the carrier itself sells no label. */
      await noLabel(orderId);
      const order = await saga.start({ orderId }, { steps: { shipping: small, address: small } });
      await saga.until(orderId, ({ waitingFor }) => waitingFor !== undefined, PATIENCE_MS);
      expect(await stateOf(order)).toEqual({ status: 'fulfillment_created', sagaState: 'running' });
      expect(await paste('npm run -s ops -- providers list')).toContain('as the runbook says');
      await saga.removeFault(orderId);
      await paste('npm run -s ops -- providers resume <provider> --reason "…"', { provider: 'carrier' });
      await completes(order);
    } finally {
      await paste('npm run -s ops -- providers resume <provider> --reason "…"', {
        provider: 'carrier',
      }).catch(() => undefined);
    }
  });

  test('DeadLetters: a mail that was refused is listed, and the order goes on', async () => {
    expect(runbookOf('DeadLetters')).toContain('a mail that was refused');
    const order = await saga.start({ customerEmail: 'refused@customers.example' });
    await completes(order);
    await repeatedly('npm run -s ops -- dead-letters list', (said) => said.includes('email-queue'));
    await paste('npm run -s ops -- dead-letters list --queue outbox');
  });

  test('what only shows something runs as it is written', async () => {
    expect(await paste('npm run -s ops -- --help')).toContain('dead-letters');
    await paste('npm run -s ops -- orders list --owed');
    expect(await paste('npm run -s catalog -- export')).toContain('keyboard-mx');
  });

  test('no command of the page is left out', () => {
    /* One needs figures of its own, one is the process that the product has running. */
    const named = ['npm run -s catalog -- adjust', 'npm run -s node -- workers/worker.ts'];
    expect(new Set(commands)).toEqual(new Set([...pasted, ...named]));
  });
});
