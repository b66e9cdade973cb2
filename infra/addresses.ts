import { isSqlServerUrl, readSqlServerUrl } from '../adapters/sqlserver/connection-settings.ts';
import type { Services } from './dependencies/start-services.ts';
import type { ApplicationPorts } from './application-environment.ts';

/** What `.runtime/addresses.json` holds; empty strings for what is not there (the Web UI of somebody else's Temporal). */
export type Addresses = {
  api: string;
  docs: string;
  temporal: string;
  temporalUi: string;
  rabbitmq: string;
  rabbitmqManagement: string;
  redis: string;
  sandbox: string;
  smtp: string;
  inbox: string;
  prometheus: string;
  alertmanager: string;
  metrics: {
    api: string;
    worker: string;
    relay: string;
    sandbox: string;
    rabbitmq: string;
    temporal: string;
  };
  /** Without who enters it. */
  sql: string;
};

export function addressesOf(input: {
  ports: ApplicationPorts;
  services: Pick<Services, 'temporal' | 'rabbitmq' | 'redis'>;
  sqlUrl: string;
  prometheusUrl: string;
  alertmanagerUrl: string;
}): Addresses {
  const { temporal, rabbitmq, redis } = input.services;
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const { ports } = input;
  return {
    api: at(ports.api),
    docs: `${at(ports.api)}/docs`,
    temporal: temporal.addresses.address,
    temporalUi: temporal.addresses.uiUrl,
    rabbitmq: rabbitmq.addresses.url,
    rabbitmqManagement: rabbitmq.addresses.managementUrl,
    redis: redis.addresses.url,
    sandbox: at(ports.sandbox),
    smtp: `smtp://127.0.0.1:${ports.smtp}`,
    inbox: `${at(ports.sandbox)}/inbox`,
    prometheus: input.prometheusUrl,
    alertmanager: input.alertmanagerUrl,
    metrics: {
      api: `${at(ports.api)}/metrics`,
      worker: `${at(ports.worker)}/metrics`,
      relay: `${at(ports.relay)}/metrics`,
      sandbox: `${at(ports.sandbox)}/metrics`,
      rabbitmq: rabbitmq.addresses.metricsUrl,
      temporal: temporal.addresses.metricsUrl,
    },
    sql: shownStore(input.sqlUrl),
  };
}

/** The one table that people read after the start; rows without an address are left out. */
export function addressTable(addresses: Addresses): string {
  const { metrics } = addresses;
  const rows: [string, string][] = [
    ['API', addresses.api],
    ['API docs', addresses.docs],
    ['OpenAPI', `${addresses.api}/openapi.json`],
    ['Temporal Web UI', addresses.temporalUi],
    ['  failed orders', ordersLink(addresses, 'failed')],
    ['  cancelled orders', ordersLink(addresses, 'cancelled')],
    ['Temporal', addresses.temporal],
    ['RabbitMQ', addresses.rabbitmq],
    ['RabbitMQ management', withoutCredentials(addresses.rabbitmqManagement)],
    ['Redis', addresses.redis],
    ['Store', addresses.sql],
    ['Sandbox inbox', addresses.inbox],
    ['Sandbox', addresses.sandbox],
    ['Sandbox SMTP', addresses.smtp],
    ['Prometheus', addresses.prometheus],
    ['Alertmanager', addresses.alertmanager],
    ['Metrics: API', metrics.api],
    ['Metrics: worker', metrics.worker],
    ['Metrics: relay', metrics.relay],
    ['Metrics: sandbox', metrics.sandbox],
    ['Metrics: RabbitMQ', metrics.rabbitmq],
    ['Metrics: Temporal', metrics.temporal],
  ];
  const shown = rows.filter(([, address]) => address !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, address]) => `  ${name.padEnd(width)}  ${withoutPassword(address)}`).join('\n');
}

/** The Web UI's list of orders that ended so: all of them are _Completed_ for Temporal. */
function ordersLink({ temporalUi }: Addresses, status: string): string {
  if (temporalUi === '') return '';
  const query = encodeURIComponent(`OrderStatus = '${status}'`);
  return `${temporalUi}/namespaces/default/workflows?query=${query}`;
}

/** Of a server of somebody's own; a private one's is guest. */
const withoutPassword = (address: string): string =>
  address.replace(/(:\/\/[^:@/]*):(?!guest@)[^@/]*@/, '$1:…@');

/** Server and database of a SQL Server. */
function shownStore(sql: string): string {
  if (!isSqlServerUrl(sql)) return sql;
  const { server, port, instanceName, database } = readSqlServerUrl(sql);
  return `mssql://${server}${instanceName ? `\\${instanceName}` : `:${port}`}/${database}`;
}

/** `http://host:port (user / password)`: browsers no longer take a password in an address. */
function withoutCredentials(address: string): string {
  if (address === '') return '';
  const { origin, username, password } = new URL(address);
  return username === '' ? origin : `${origin}  (${username} / ${password})`;
}

/** A checkout that works when pasted into a shell, for a product of the catalog. Pasting it again gives the same order. */
export function exampleCurl(input: {
  api: string;
  productId: string;
  idempotencyKey: string;
  /** Needed where callers are configured. */
  apiKey?: string | undefined;
}): string {
  const body = {
    customerId: 'customer-1',
    customerEmail: 'ada@example.com',
    items: [{ productId: input.productId, quantity: 1 }],
    paymentMethodId: 'pm_card_visa',
    shippingAddress: {
      name: 'Ada Lovelace',
      street1: '12 MG Road',
      city: 'Bengaluru',
      state: 'KA',
      postalCode: '560001',
      country: 'IN',
    },
  };
  return [
    `curl -s -X POST ${input.api}/checkout`,
    `-H 'Content-Type: application/json'`,
    `-H 'Idempotency-Key: ${input.idempotencyKey}'`,
    ...(input.apiKey === undefined ? [] : [`-H 'Authorization: Bearer ${input.apiKey}'`]),
    `-d '${JSON.stringify(body)}'`,
  ].join(' \\\n    ');
}
