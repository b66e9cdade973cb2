import { appendFileSync, writeFileSync } from 'node:fs';
import { createCheckouts } from './place-order.ts';

/**
 * `node bench/open-loop.ts <json>`: posts checkouts at a steady rate whatever becomes of them, in a process of its own. Each is
 * measured from when it was due, so a late send counts as waiting. Writes one JSON line per request to `file`.
 */
export interface OpenLoopOptions {
  api: string;
  perHour: number;
  seconds: number;
  /** Requests of the first seconds are sent and written as warm-up. */
  warmUpSeconds: number;
  keyPrefix: string;
  file: string;
}

export interface OpenLoopLine {
  orderId: string;
  status: number;
  /** When the request was due, in milliseconds since the epoch. */
  dueMs: number;
  latencyMs: number;
  warmUp: boolean;
}

const HOUR_MS = 3_600_000;
const FLUSH_LINES = 500;

if (process.argv[1] === import.meta.filename)
  await run(JSON.parse(process.argv[2] ?? '{}') as OpenLoopOptions);

async function run(options: OpenLoopOptions): Promise<void> {
  const { api, perHour, seconds, warmUpSeconds, keyPrefix, file } = options;
  const checkouts = createCheckouts(api);
  const lines: string[] = [];
  const flush = () =>
    appendFileSync(
      file,
      lines
        .splice(0)
        .map((line) => `${line}\n`)
        .join(''),
    );
  writeFileSync(file, '');

  const intervalMs = HOUR_MS / perHour;
  const total = Math.round(((seconds + warmUpSeconds) * 1_000) / intervalMs);
  const startedAt = performance.now();
  const pending = new Set<Promise<void>>();

  const send = async (index: number): Promise<void> => {
    const dueAt = startedAt + index * intervalMs;
    const answer = await checkouts.place(`${keyPrefix}-${index}`).catch(() => ({ status: 0, orderId: '' }));
    const line: OpenLoopLine = {
      ...answer,
      dueMs: performance.timeOrigin + dueAt,
      latencyMs: performance.now() - dueAt,
      warmUp: index * intervalMs < warmUpSeconds * 1_000,
    };
    lines.push(JSON.stringify(line));
    if (lines.length >= FLUSH_LINES) flush();
  };

  for (let index = 0; index < total;) {
    const now = performance.now() - startedAt;
    for (; index < total && index * intervalMs <= now; index += 1) {
      const sent = send(index).finally(() => pending.delete(sent));
      pending.add(sent);
    }
    const waitMs = index * intervalMs - (performance.now() - startedAt);
    if (index < total) await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)));
  }
  await Promise.all(pending);
  flush();
  checkouts.close();
}
