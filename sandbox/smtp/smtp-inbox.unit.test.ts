import { createTransport } from 'nodemailer';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { api, putFaults, quickSandbox } from '../testing.ts';
import type { MailView } from './mail-view.ts';

describe('the mail server', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await quickSandbox();
  });
  afterAll(() => sandbox.close());
  afterEach(() => api(sandbox, 'DELETE', '/sandbox/faults'));

  const send = (to: string, subject = 'Your order') =>
    createTransport({
      host: '127.0.0.1',
      port: sandbox.smtpPort,
      greetingTimeout: 300,
      connectionTimeout: 300,
      socketTimeout: 500,
    }).sendMail({
      from: 'shop@example.com',
      to,
      subject,
      text: 'Thank you, Zoë ✓',
      html: '<h1>Thank you, Zoë ✓</h1>',
      headers: { 'X-Order-Id': 'o-1' },
    });

  const inbox = async (to: string) =>
    (
      await api<{ total: number; mails: MailView[] }>(
        sandbox,
        'GET',
        `/inbox.json?to=${encodeURIComponent(to)}`,
      )
    ).body.mails;

  test('keeps a mail with both its parts, found by recipient', async () => {
    await send('asha@example.com', 'Bestätigung');
    await send('other@example.com');
    const mails = await inbox('Asha@example.com');
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({
      from: 'shop@example.com',
      to: ['asha@example.com'],
      subject: 'Bestätigung',
      text: expect.stringContaining('Thank you, Zoë ✓'),
      html: expect.stringContaining('<h1>Thank you, Zoë ✓</h1>'),
      headers: { 'x-order-id': 'o-1' },
    });
  });

  test('shows it on pages without running what is in it', async () => {
    await createTransport({ host: '127.0.0.1', port: sandbox.smtpPort }).sendMail({
      from: 'shop@example.com',
      to: 'page@example.com',
      subject: '<script>alert(1)</script>',
      html: '<script>alert(2)</script>',
    });
    const [mail] = await inbox('page@example.com');
    const list = await (await fetch(`${sandbox.url}/inbox`)).text();
    const view = await (await fetch(`${sandbox.url}/inbox/${mail?.id}`)).text();
    expect(list).toContain('&lt;script&gt;alert(1)');
    expect(view).toContain('sandbox=""');
    expect(list + view).not.toContain('<script>');
  });

  test('refuses some recipients for good and some for now', async () => {
    await expect(send('refused@example.com')).rejects.toMatchObject({ responseCode: 550 });
    await expect(send('tempfail@example.com')).rejects.toMatchObject({ responseCode: 451 });
    expect(await inbox('refused@example.com')).toEqual([]);
  });

  test('refuses mails by fault, for one recipient, so many times', async () => {
    await putFaults(sandbox, {
      provider: 'smtp',
      operation: 'deliver',
      kind: 'error',
      status: 452,
      times: 1,
      match: { recipient: 'full@example.com' },
    });
    await send('other2@example.com');
    await expect(send('full@example.com')).rejects.toMatchObject({ responseCode: 452 });
    await send('full@example.com');
    expect(await inbox('full@example.com')).toHaveLength(1);
  });

  test('keeps a mail whose reply is lost, so that a retry makes two', async () => {
    await putFaults(sandbox, { provider: 'smtp', operation: 'deliver', kind: 'reply-lost', times: 1 });
    await expect(send('twice@example.com')).rejects.toThrow(/closed|ECONNRESET/);
    await send('twice@example.com');
    expect(await inbox('twice@example.com')).toHaveLength(2);
  });

  test('closes its port in an outage and opens it again on the same port', async () => {
    await api(sandbox, 'POST', '/sandbox/outage', { provider: 'smtp', seconds: 0.5, mode: 'refuse' });
    await expect(send('later@example.com')).rejects.toThrow(/ECONNREFUSED/);
    await vi.waitFor(() => send('later@example.com'), { timeout: 3_000, interval: 100 });
    expect(await inbox('later@example.com')).toHaveLength(1);
  });

  test('greets nobody in an outage that hangs, and answers 421 in one that says so', async () => {
    await api(sandbox, 'POST', '/sandbox/outage', { provider: 'smtp', seconds: 30, mode: 'hang' });
    await expect(send('hang@example.com')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await api(sandbox, 'POST', '/sandbox/outage', { provider: 'smtp', seconds: 30 });
    await expect(send('hang@example.com')).rejects.toMatchObject({ responseCode: 421 });
  });
});
