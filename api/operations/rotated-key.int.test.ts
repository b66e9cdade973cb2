import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { orderId, taskQueues } from '../../domain/ids.ts';
import { uniqueName } from '../../test/setup/isolation.ts';
import { customerHashesOf, customerHashOf } from '../orders/order-identity.ts';
import { filterOf } from '../orders/order-where.ts';
import { createOrderWorkflows } from '../../adapters/temporal/orders.ts';
import { fulfillOrderName } from '../../workflows/messages.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import { defineSearchAttributeKey } from '@temporalio/common';

/* Orders placed under a key of before, at a real server: found by their customer after the key was changed. */
const customer = `customer-${randomUUID()}`;
const queues = taskQueues(uniqueName('rotated'));
let connection: Connection;
let client: Client;
beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection });
});
afterAll(() => connection.close());

it('a list by customer finds orders of every key there has been', async () => {
  const keys = ['the key of last year', 'the key of this year'];
  for (const key of keys) {
    await client.workflow.start(fulfillOrderName, {
      workflowId: `order-${orderId(randomUUID())}`,
      taskQueue: queues.orders,
      typedSearchAttributes: [
        {
          key: defineSearchAttributeKey(searchAttributes.customerHash, 'KEYWORD'),
          value: customerHashOf(customer, key),
        },
      ],
      workflowExecutionTimeout: '1 minute',
      memo: { callerId: 'shop', fingerprint: 'f', customerId: customer, summary: '' },
    });
  }
  const workflows = createOrderWorkflows(client, queues);
  const found = async (formerCustomerHashKeys: string[]) => {
    const settings = { customerHashKey: keys[1] as string, formerCustomerHashKeys };
    const filter = filterOf({ customerId: customer }, { nowUtc: new Date().toISOString(), keys: settings });
    expect(filter.customerHash).toEqual(customerHashesOf(customer, settings));
    return (await workflows.list({ ...filter, pageSize: 10 })).orders.length;
  };
  await expect.poll(() => found([keys[0] as string]), { timeout: 10_000 }).toBe(2);
  expect(await found([])).toBe(1);
});
