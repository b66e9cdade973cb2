import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { memoOf } from '../../api/orders/checkout.ts';
import { fingerprintOf } from '../../api/orders/order-identity.ts';
import { createOrderWorkflows } from '../../adapters/temporal/orders.ts';
import { workflowIdOf } from '../../domain/ids.ts';
import { findChromium } from '../../infra/dependencies/chromium.ts';
import { workflowInput } from '../setup/saga-environment.ts';
import { newOrderId, sagaSuite } from './saga-suite.ts';

/** What a person sees of an order in Temporal's Web UI. */
describe("a parked order in Temporal's Web UI", () => {
  const saga = sagaSuite();
  let folder: string;
  let browser: Browser | undefined;
  let missing = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-browser-'));
    const executablePath = await findChromium({
      env: process.env,
      folder,
      keepsData: false,
      takePort: async () => 0,
      say: (line) => console.error(line),
      useConfigured: false,
      installWithSudo: false,
    }).catch((error: Error) => {
      missing = error.message;
      return undefined;
    });
    if (executablePath) browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('says what was ordered, what failed, what is safe to do, and is found by its search attributes', async ({
    skip,
  }) => {
    if (!browser) return skip(`there is no Chromium here: ${missing}`);
    const orderId = newOrderId();
    const down = {
      provider: 'easypost',
      operation: 'shipments.create',
      kind: 'outage',
      mode: '503',
    } as const;
    await saga().addFault({ ...down, id: orderId, match: { orderId } });
    const { client, config } = saga();
    const small = { attemptTimeoutMs: 1_200, budgetMs: 2_000, maximumIntervalMs: 100 };
    const input = workflowInput(config, { orderId }, { steps: { shipping: small } });
    await createOrderWorkflows(client, input.taskQueues).start({
      input,
      memo: memoOf(input.checkout, fingerprintOf(input.checkout)),
      customerHash: 'none',
    });
    await saga().until(orderId, ({ sagaState }) => sagaState === 'parked');
    const page = await browser.newPage({ viewport: { width: 1_400, height: 1_400 } });
    await page.goto(`${inject('temporalUiUrl')}/namespaces/default/workflows/${workflowIdOf(orderId)}`);
    await page.getByText('User Metadata').click();
    await expectShown(page, [
      `Order ${orderId}: 1 line, 1 unit, INR`,
      '1 × keyboard-mx',
      'fulfillment_created (parked, step shipping); 1 line(s), 7499.00 INR',
      'Parked at shipping since',
      `npm run -s temporal -- workflow signal --workflow-id order-${orderId} --name resolve`,
      'Record the parked step and tell the operators',
    ]);
    await page.getByText('Search Attributes').click();
    await expectShown(page, [
      '"OrderStatus": "fulfillment_created"',
      '"ParkedStep": "shipping"',
      '"SagaState": "parked"',
    ]);
    const query = `SagaState='parked' AND ParkedStep='shipping' AND WorkflowId='${workflowIdOf(orderId)}'`;
    await page.goto(
      `${inject('temporalUiUrl')}/namespaces/default/workflows?query=${encodeURIComponent(query)}`,
    );
    await expectShown(page, [workflowIdOf(orderId), 'Running']);
  });
});

/** Waits until the page, frames included (the UI shows texts of workflows in frames), has all of the texts. */
async function expectShown(page: Page, texts: string[]): Promise<void> {
  const missing = async () => {
    const parts = await Promise.all(page.frames().map((frame) => frame.locator('body').innerText()));
    const text = parts.join(' ').replaceAll(/\s+/g, ' ');
    return texts.filter((one) => !text.includes(one));
  };
  await expect.poll(missing, { timeout: 20_000, interval: 250 }).toEqual([]);
}
