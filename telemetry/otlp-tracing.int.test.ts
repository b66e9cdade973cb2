import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../infra/ports.ts';
import { createLogger } from './logger.ts';
import { startOtlpTracing } from './otlp-tracing.ts';
import { isTracing, traced } from './tracing.ts';

let tracing: ReturnType<typeof startOtlpTracing> | undefined;
afterEach(() => tracing?.close());

it('loses spans and nothing else while the collector is away, and says so once a minute', async () => {
  const lines: string[] = [];
  const logger = createLogger({
    process: 'test',
    level: 'info',
    lines: { write: (line) => void lines.push(line) },
  });
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  tracing = startOtlpTracing({ endpoint, sampleRatio: 1, service: 'test', logger });
  for (let second = 0; second < 2; second += 1) {
    for (let count = 0; count < 15_000; count += 1) await traced({ name: 'work' }, async () => {});
    await sleep(1_100);
  }
  const reasons = lines.map((line) => (JSON.parse(line) as { reason: string }).reason);
  expect(new Set(reasons.map((reason) => reason.replace(/\d+/, '#'))).size).toBe(reasons.length);
  expect(reasons.length).toBeLessThanOrEqual(3);
  const startedMs = performance.now();
  await tracing.close();
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  expect(isTracing()).toBe(false);
}, 20_000);
