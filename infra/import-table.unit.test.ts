import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFolder } from './runtime-folder.ts';

type Case = readonly [file: string, importStatement: string];

const refused: readonly Case[] = [
  ['domain/a.ts', `import { z } from 'zod'`],
  ['domain/b.ts', `import { createHash } from 'node:crypto'`],
  ['domain/c.ts', `import { reserve } from '../ports/inventory.ts'`],
  ['ports/a.ts', `import type { Channel } from 'amqplib'`],
  ['ports/b.ts', `import type { Row } from '../adapters/sqlite/rows.ts'`],
  ['workflows/a.ts', `import { processPayment } from '../activities/payment/process-payment.ts'`],
  ['workflows/b.ts', `import { readFile } from 'node:fs/promises'`],
  ['workflows/c.ts', `import { config } from '../config/config.ts'`],
  ['workflows/d.ts', `import { z } from 'zod'`],
  ['activities/a.ts', `import { connectRedis } from '../adapters/redis/redis.ts'`],
  ['activities/b.ts', `import { config } from '../config/config.ts'`],
  ['activities/c.ts', `import { metrics } from '../telemetry/metrics.ts'`],
  ['activities/d.ts', `import { Redis } from 'ioredis'`],
  ['adapters/stripe/a.ts', `import { Redis } from 'ioredis'`],
  ['adapters/stripe/b.ts', `import { lock } from '../redis/redis-locks.ts'`],
  ['adapters/redis/a.ts', `import { lock } from '../../activities/operation.ts'`],
  ['adapters/sqlite/migrations/a.ts', `import { lock } from '../../redis/redis-locks.ts'`],
  ['messaging/a.ts', `import { connect } from 'amqplib'`],
  ['messaging/b.ts', `import { fulfillOrder } from '../workflows/fulfill-order/order.ts'`],
  ['api/a.ts', `import { DatabaseSync } from '../adapters/sqlite/store.ts'`],
  ['api/routes/a.ts', `import { processPayment } from '../../activities/process-payment.ts'`],
  ['api/c.ts', `import { repeat } from '../workers/jobs/repeat.ts'`],
  ['api/orders/a.ts', `import { createOrderWorkflows } from '../../adapters/temporal/orders.ts'`],
  ['workers/b.ts', `import { addCheckout } from '../api/orders/checkout.ts'`],
  ['workers/jobs/b.ts', `import { createApp } from '../../api/app.ts'`],
  ['compose/a.ts', `import { createOrderWorkers } from '../workers/saga/order-workers.ts'`],
  ['adapters/temporal/a.ts', `import { Redis } from 'ioredis'`],
  ['adapters/temporal/b.ts', `import { within } from '../../api/http/body.ts'`],
  ['cli/a.ts', `import { Redis } from 'ioredis'`],
  ['sandbox/a.ts', `import { gateway } from '../adapters/stripe/stripe-gateway.ts'`],
  ['workers/a.ts', `import { start } from '../infra/processes.ts'`],
  ['bench/a.ts', `import { worker } from '../workers/worker.ts'`],
];

const allowed: readonly Case[] = [
  ['domain/y.ts', `import { money } from './money.ts'`],
  ['ports/y.ts', `import type { Order } from '../domain/order.ts'`],
  ['workflows/y.ts', `import type { Activities } from '../activities/index.ts'`],
  ['workflows/z.ts', `import { condition } from '@temporalio/workflow'`],
  ['activities/y.ts', `import type { Store } from '../ports/store.ts'`],
  ['activities/z.ts', `import { activityInfo } from '@temporalio/activity'`],
  ['adapters/redis/y.ts', `import { Redis } from 'ioredis'`],
  ['adapters/sqlite/y.ts', `import { DatabaseSync } from 'node:sqlite'`],
  ['adapters/sqlite/migrations/y.ts', `import type { Store } from '../../../ports/store.ts'`],
  ['messaging/y.ts', `import type { Broker } from '../ports/broker.ts'`],
  ['api/y.ts', `import { cancelOrder } from '../workflows/messages.ts'`],
  ['api/routes/z.ts', `import { Hono } from 'hono'`],
  ['api/orders/y.ts', `import { readJson } from '../http/body.ts'`],
  ['activities/payment/y.ts', `import { voidLabel } from '../shipping/void-shipment.ts'`],
  ['workflows/parked/y.ts', `import { viewOf } from '../fulfill-order/state.ts'`],
  ['adapters/temporal/y.ts', `import { getOrder } from '../../workflows/messages.ts'`],
  ['compose/y.ts', `import { connectSqlite } from '../adapters/sqlite/store.ts'`],
  ['api/server.ts', `import { connectSqlite } from '../adapters/sqlite/store.ts'`],
  ['workers/y.ts', `import { connectSqlite } from '../adapters/sqlite/store.ts'`],
];

describe('the import table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'order-saga-imports-'));
  let complaints: ReadonlySet<string>;

  beforeAll(() => {
    copyFileSync(join(projectFolder, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const [file, statement] of [...refused, ...allowed]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${statement};\n`);
    }
    complaints = filesWithForbiddenImports(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(refused)('refuses in %s: %s', (file) => {
    expect(complaints).toContain(file);
  });

  test.each(allowed)('allows in %s: %s', (file) => {
    expect(complaints).not.toContain(file);
  });
});

function filesWithForbiddenImports(folder: string): ReadonlySet<string> {
  const oxlint = join(projectFolder, 'node_modules', '.bin', 'oxlint');
  const { stdout } = spawnSync(oxlint, ['--format', 'unix'], { cwd: folder, encoding: 'utf8' });
  const lines = stdout.split('\n').filter((line) => line.includes('no-restricted-imports'));
  return new Set(lines.map((line) => line.split(':')[0] ?? ''));
}
