import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../api/app.ts';
import { createDeadLetterWorkflows } from '../adapters/temporal/dead-letters.ts';
import { fakeDeps, operatorKey, shopKey } from '../api/testing/fake-deps.ts';
import { deadLetterSubject } from '../domain/dead-letters.ts';
import { editedContent } from '../messaging/dead-letters-edit.ts';
import { systemClock } from '../ports/clock.ts';
import {
  startDeadLetterFixture,
  tasksQueue,
  type DeadLetterFixture,
} from '../test/support/dead-letter-fixture.ts';
import type { ListAnswer } from './dead-letter-tables.ts';

const run = promisify(execFile);
let fixture: DeadLetterFixture;
let server: Server;
let api: string;

beforeAll(async () => {
  fixture = await startDeadLetterFixture();
  const app = createApp(
    fakeDeps({
      store: fixture.store,
      clock: systemClock,
      deadLetters: {
        workflows: createDeadLetterWorkflows(fixture.client, fixture.taskQueue),
        editRefusal(letter, patch) {
          const edited = editedContent(letter, patch);
          return edited.ok ? undefined : edited.reason;
        },
      },
    }),
  );
  const answer = getRequestListener(app.fetch);
  server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await fixture.close();
});

async function ops(args: string[], key = operatorKey) {
  const env = { PATH: process.env['PATH'], ORDER_SAGA_API: api, ORDER_SAGA_API_KEY: key };
  const script = fileURLToPath(new URL('ops.ts', import.meta.url));
  return run(process.execPath, [script, 'dead-letters', ...args], { env }).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

it('sees, mends, replays and discards dead letters from a terminal', async () => {
  const body = { url: 'https://old.example', to: 'ada@example.com' };
  await fixture.fail([1, 2, 3, 4].map((n) => ({ messageId: `m-${n}`, body })));
  await fixture.indexed(4);
  const table = await ops(['list']);
  expect(table.stdout).toMatch(/4 open[^]*tasks[^]*partner-error[^]*503 after/);
  const listed = JSON.parse((await ops(['list', '--json'])).stdout) as ListAnswer;
  expect(listed.total).toBe(4);
  const [first = '', second = '', third = ''] = listed.messages.map(({ id }) => id);

  const shown = await ops(['show', first]);
  expect(shown.stdout).toContain('https://old.example');
  expect(shown.stdout).not.toContain('ada@example.com');

  const mended = ['--reason', 'new address', '--actor', 'grace', '--url', 'https://new.example'];
  expect((await ops(['replay', first, second, ...mended, '--dry-run'])).stdout).toContain('Would replay 2.');
  const unasked = await ops(['replay', first, second, ...mended]);
  expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringContaining('give --yes')]);
  expect(await fixture.depth(tasksQueue)).toBe(0);
  const replayed = await ops(['replay', first, second, ...mended, '--yes']);
  expect(replayed.stdout).toMatch(/completed: 2 replayed, 0 left, 0 to go/);
  const got = await fixture.drain(tasksQueue);
  expect(got.map(({ content }) => JSON.parse(content.toString()) as unknown)).toEqual(
    Array(2).fill({ ...body, url: 'https://new.example' }),
  );
  const [row] = await fixture.store.read.audit(deadLetterSubject(first));
  expect(row).toMatchObject({ actor: 'grace (help-desk)', reason: 'new address; edited: url' });

  const again = await ops(['replay', first, '--reason', 'once more']);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('409')]);
  expect((await ops(['discard', third, '--reason', 'test data'])).stdout).toContain('1 discarded');
  expect((await ops(['discard', third])).stderr).toContain('--reason');
  const rest = await ops(['discard', '--queue', tasksQueue, '--reason', 'test data', '--json']);
  expect(JSON.parse(rest.stdout)).toMatchObject({ status: 'completed', settled: 1 });
  expect((await ops(['list'])).stdout).toContain('No dead letters.');
});

it('says what is missing to who may not, in words', async () => {
  const { code, stderr } = await ops(['list'], shopKey);
  expect([code, stderr]).toEqual([1, expect.stringContaining('Give an operator key by ORDER_SAGA_API_KEY')]);
});
