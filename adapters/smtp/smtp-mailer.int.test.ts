import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Mail, Mailer } from '../../ports/mailer.ts';
import { startSandbox } from '../../sandbox/server.ts';
import { connectSmtpMailer } from './smtp-mailer.ts';

const from = 'Order Saga <orders@order-saga.example>';
const mailTo = (to: string): Mail => ({
  messageId: `confirmation-${to.split('@')[0]}`,
  to,
  subject: 'Your order ₹1,499',
  text: 'Thank you — text part',
  html: '<p>Thank you — HTML part</p>',
});

interface InboxMail {
  to: string[];
  from: string;
  subject: string;
  messageId: string;
  text: string;
  html: string;
}

describe('mail', () => {
  let sandbox: Awaited<ReturnType<typeof startSandbox>>;
  let mailer: Mailer & { close(): void };

  beforeAll(async () => {
    sandbox = await startSandbox();
    mailer = connectSmtpMailer({ url: `smtp://127.0.0.1:${sandbox.smtpPort}`, from });
  });
  afterAll(async () => {
    mailer.close();
    await sandbox.close();
  });
  afterEach(() => fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' }));

  const inbox = async (to: string): Promise<InboxMail[]> => {
    const response = await fetch(`${sandbox.url}/inbox.json?to=${encodeURIComponent(to)}`);
    return ((await response.json()) as { mails: InboxMail[] }).mails;
  };
  const fault = async (rule: object) => {
    const response = await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'smtp', operation: 'deliver', times: 1, ...rule }),
    });
    expect(response.status).toBe(201);
  };

  it('arrives with text, HTML and the task’s Message-ID', async () => {
    expect(await mailer.send(mailTo('asha@example.com'))).toEqual({ status: 'sent' });
    const [mail, ...more] = await inbox('asha@example.com');
    expect(more).toEqual([]);
    expect(mail).toMatchObject({
      to: ['asha@example.com'],
      from: 'orders@order-saga.example',
      subject: 'Your order ₹1,499',
      messageId: '<confirmation-asha@order-saga.example>',
      text: expect.stringContaining('Thank you — text part') as string,
      html: expect.stringContaining('HTML part') as string,
    });
  });

  it('to an unknown recipient is refused, and the next mail goes through', async () => {
    expect(await mailer.send(mailTo('refused@example.com'))).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('5.1.1') as string,
    });
    expect(await mailer.send(mailTo('after-refusal@example.com'))).toEqual({ status: 'sent' });
  });

  it('that is put off is for later, and others go on', async () => {
    expect(await mailer.send(mailTo('tempfail@example.com'))).toMatchObject({ status: 'later' });
    expect(await mailer.send(mailTo('beside@example.com'))).toEqual({ status: 'sent' });
  });

  it('whose content is refused for good is refused', async () => {
    await fault({ kind: 'error', status: 554 });
    expect(await mailer.send(mailTo('content@example.com'))).toMatchObject({ status: 'refused' });
    expect(await inbox('content@example.com')).toEqual([]);
  });

  it('is sent once although the reply was lost: only the queue may send it again', async () => {
    await fault({ kind: 'reply-lost', times: 5 });
    expect(await mailer.send(mailTo('lost-reply@example.com'))).toMatchObject({ status: 'unavailable' });
    expect(await inbox('lost-reply@example.com')).toHaveLength(1);
  });

  it.each(['a@example.com\r\nBcc: b@example.com', 'a@example.com, b@example.com', 'nobody', ''])(
    'does not leave for a recipient that is not one address: %j',
    async (to) => {
      expect(await mailer.send(mailTo(to))).toMatchObject({ status: 'refused' });
      expect([...(await inbox('a@example.com')), ...(await inbox('b@example.com'))]).toEqual([]);
    },
  );

  it('is unavailable when nobody listens', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const nowhere = connectSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from });
    expect(await nowhere.send(mailTo('x@example.com'))).toMatchObject({ status: 'unavailable' });
    nowhere.close();
  });
});

describe('a mail server', () => {
  let server: Server;
  const sockets = new Set<Socket>();
  const listen = async (talk: (socket: Socket) => void): Promise<string> => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      talk(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('that turns us away in its greeting is unavailable', async () => {
    const url = await listen((socket) => socket.end('554 5.7.1 no service for you\r\n'));
    const mailer = connectSmtpMailer({ url, from });
    expect(await mailer.send(mailTo('x@example.com'))).toMatchObject({ status: 'unavailable' });
    mailer.close();
  });

  it('that hangs up at once is unavailable after one try', async () => {
    let connections = 0;
    const url = await listen((socket) => {
      connections += 1;
      socket.destroy();
    });
    const mailer = connectSmtpMailer({ url, from });
    expect(await mailer.send(mailTo('x@example.com'))).toMatchObject({ status: 'unavailable' });
    expect(connections).toBe(1);
    mailer.close();
  });

  it('that never greets is unavailable within seconds', async () => {
    const url = await listen(() => {});
    const mailer = connectSmtpMailer({ url, from });
    const startedMs = performance.now();
    expect(await mailer.send(mailTo('x@example.com'))).toMatchObject({ status: 'unavailable' });
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    mailer.close();
  });
});
