import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { providersCommand } from './providers.ts';

const carrier = {
  provider: 'carrier',
  status: 'paused',
  switch: { state: 'paused', actor: 'grace', reason: 'maintenance', sinceUtc: '2026-01-02T03:00:00.000Z' },
  circuits: [
    {
      process: 'worker-1:17',
      state: 'open',
      sinceUtc: '2026-01-02T02:00:00.000Z',
      reason: '401',
      keyRefused: true,
    },
  ],
};

describe('ops providers', () => {
  const run = async (...args: string[]) => {
    const sent: unknown[] = [];
    const printed: string[] = [];
    const send = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      sent.push([method, path, body]);
      const idle = { provider: 'payments', status: 'available', circuits: [] };
      return (method === 'GET' ? { providers: [idle, carrier] } : carrier) as T;
    };
    const command = providersCommand({
      client: () => ({ send }) as ApiClient,
      print: (text) => printed.push(text),
    });
    const silent = { writeErr: () => {}, writeOut: () => {} };
    for (const one of [command, ...command.commands]) one.exitOverride().configureOutput(silent);
    await new Command()
      .exitOverride()
      .addCommand(command)
      .parseAsync(['providers', ...args], { from: 'user' });
    return { sent, text: printed.join('\n') };
  };

  it('lists switches and circuits', async () => {
    const { text } = await run('list');
    expect(text).toMatch(/payments +│ available +│ running/);
    expect(text).toMatch(/carrier +│ paused +│ paused +│ grace +│ 2026-01-02T03:00:00.000Z +│ maintenance/);
    expect(text).toMatch(/carrier +│ worker-1:17 +│ open, key refused +│ 2026-01-02T02:00:00.000Z +│ 401/);
    expect(JSON.parse((await run('list', '--json')).text)).toMatchObject({ providers: [{}, carrier] });
  });

  it.each(['pause', 'resume'])('%ss one with who and why', async (verb) => {
    const { sent, text } = await run(verb, 'carrier', '--reason', 'maintenance', '--actor', 'grace');
    expect(sent).toEqual([['POST', `/providers/carrier/${verb}`, { reason: 'maintenance', actor: 'grace' }]]);
    expect(text).toMatch(verb === 'pause' ? /^carrier is paused/ : /^carrier goes on, slowly/);
  });

  it('asks for a reason and for a provider there is', async () => {
    await expect(run('pause', 'carrier')).rejects.toThrow('--reason');
    await expect(run('pause', 'mail', '--reason', 'x')).rejects.toThrow(
      'Allowed choices are payments, carrier',
    );
  });
});
