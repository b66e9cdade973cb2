import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';

export { freePort } from '../../infra/ports.ts';

/** A name that no other suite uses, for task queues, namespaces of keys, workflow ids. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

export type Vhost = {
  name: string;
  /** Connect here: exchanges and queues of other suites do not exist in it. */
  amqpUrl: string;
  /** Deletes the vhost with everything in it. */
  remove: () => Promise<void>;
};

/** A fresh, empty RabbitMQ vhost of the run's broker. The caller removes it (afterAll). */
export async function createVhost(prefix = 'suite'): Promise<Vhost> {
  const name = uniqueName(prefix);
  await management('PUT', `/api/vhosts/${name}`);
  await management('PUT', `/api/permissions/${name}/guest`, { configure: '.*', write: '.*', read: '.*' });
  const url = new URL(inject('amqpUrl'));
  url.pathname = `/${name}`;
  return { name, amqpUrl: url.href, remove: () => management('DELETE', `/api/vhosts/${name}`) };
}

async function management(method: string, path: string, body: unknown = {}): Promise<void> {
  const { origin, username, password } = new URL(inject('amqpManagementUrl'));
  const response = await fetch(origin + path, {
    method,
    headers: {
      authorization: `Basic ${btoa(`${username}:${password}`)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(
      `RabbitMQ management: ${method} ${path} answered ${response.status}: ${await response.text()}`,
    );
}
