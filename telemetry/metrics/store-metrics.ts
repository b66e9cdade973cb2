import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['api', 'worker', 'relay'] as const;

/** SQL: the pool, transactions and statements. */
export const createStoreMetrics = (define: MetricFactory) => ({
  storeTransactionDuration: define.histogram({
    name: 'store_transaction_duration_seconds',
    help: 'Time of one SQL transaction from being asked for to being durable, in seconds.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1],
    shownBy,
  }),
  storeStatementDuration: define.histogram({
    name: 'store_statement_duration_seconds',
    help: 'Time of one SQL statement, in seconds, by family and member; its _count is the number of statements.',
    labels: { statement: "the store port's methods" },
    buckets: [0.0005, 0.005, 0.05, 0.5],
    shownBy,
  }),
  storeConnections: define.gauge({
    name: 'store_connections',
    help: 'SQL connections that write, by state: size (the most there may be; 1 with SQLite), in_use, waiting (callers without one).',
    labels: { state: ['size', 'in_use', 'waiting'] },
    shownBy,
  }),
  storeConnectionWait: define.histogram({
    name: 'store_connection_wait_seconds',
    help: 'Time a caller waited for a SQL connection, in seconds, by result.',
    labels: { result: ['acquired', 'refused'] },
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5],
    shownBy,
  }),
});
