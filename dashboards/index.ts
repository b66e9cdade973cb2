import { api } from './api.ts';
import { messaging } from './messaging.ts';
import { operations } from './operations.ts';
import { orders } from './orders.ts';
import type { dashboardOf } from './panels.ts';
import { providers } from './providers.ts';
import { runbook } from './runbook.ts';
import { slo } from './slo.ts';
import { stores } from './stores.ts';
import { temporalWorker } from './temporal-worker.ts';

/** Every dashboard by the name of its file in this folder, which `npm run generate` writes. */
export const dashboards: Readonly<Record<string, ReturnType<typeof dashboardOf>>> = {
  orders,
  operations,
  messaging,
  providers,
  api,
  'temporal-worker': temporalWorker,
  stores,
  slo,
  runbook,
};
