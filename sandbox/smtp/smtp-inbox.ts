import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type SMTPServerDataStream, type SMTPServerSession, SMTPServer } from 'smtp-server';
import type { Clock } from '../clock.ts';
import type { Counts } from '../counts.ts';
import type { FaultPlan, Faults } from '../faults/faults.ts';
import { stripeId } from '../ids.ts';
import { listeningOr } from '../listening.ts';
import { wait } from '../provider-call.ts';
import type { Store } from '../store.ts';

const HOST = '127.0.0.1';
const KEPT = 5_000;
const MAX_BYTES = 10 * 1024 * 1024;

interface InboxDeps {
  store: Store;
  clock: Clock;
  counts: Counts;
  faults: Faults;
}

export interface SmtpInbox {
  port: number;
  /** Opens or closes the port as the outages in force want it; called by the sandbox's ticker. */
  followOutage(): void;
  close(): Promise<void>;
}

type Callback = (error?: Error | null) => void;

const smtpError = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode });

/** Documented recipients: their local part decides what the server says to them. */
const refusedRecipient = (address: string): Error | undefined => {
  const local = address.split('@')[0]?.toLowerCase();
  if (local === 'refused')
    return smtpError(550, `5.1.1 <${address}>: Recipient address rejected: user unknown`);
  if (local === 'tempfail') return smtpError(451, `4.3.0 <${address}>: Temporary lookup failure`);
  return undefined;
};

const contentOf = async (stream: SMTPServerDataStream): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
};

/**
 * A mail server for everyone: keeps what it is sent, one copy per recipient, the newest 5,000.
 * Takes any credentials and speaks no TLS; `refused@…` is refused for good, `tempfail@…` for now.
 */
export const startSmtpInbox = async (deps: InboxDeps, port: number): Promise<SmtpInbox> => {
  const { store, clock, counts, faults } = deps;
  let received = 0;

  const keep = (session: SMTPServerSession, raw: string): string => {
    const to = session.envelope.rcptTo.map(({ address }) => address);
    const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
    const ids = to.map((recipient) => {
      const id = stripeId('mail');
      const mail = { id, receivedMs: clock.nowMs(), from, to, raw };
      store.put('mail', id, mail, { parent: recipient.toLowerCase() });
      return id;
    });
    counts.business('mails_received');
    counts.operation('smtp', 'deliver', 'effects');
    received += 1;
    if (received % 100 === 0) store.prune('mail', KEPT);
    return ids.join(' ');
  };

  const counted = (operation: 'connect' | 'deliver', plan: FaultPlan) => {
    counts.operation('smtp', operation, 'requests');
    if (plan.any) counts.operation('smtp', operation, 'faults');
  };

  const greet = async (callback: Callback) => {
    const plan = faults.plan('smtp', 'connect');
    counted('connect', plan);
    if (plan.outage?.mode === 'hang') return;
    await wait(plan.delayBeforeMs);
    if (plan.outage || plan.rateLimit) callback(smtpError(421, '4.3.2 Service not available'));
    else
      callback(
        plan.error && smtpError(plan.error.status, plan.error.message ?? '4.3.0 Service not available'),
      );
  };

  const dropConnection = (session: SMTPServerSession) => {
    for (const connection of server.connections) {
      if (connection.session.id === session.id) connection._socket.destroy();
    }
  };

  /** Where the state cannot be written the sender has to come again. */
  const orNoRoom = async (work: () => Promise<void>, callback: Callback) => {
    try {
      await work();
    } catch {
      callback(smtpError(452, '4.3.1 Insufficient system storage'));
    }
  };

  const refuseByPlan = (plan: FaultPlan): Error | undefined => {
    if (plan.outage || plan.rateLimit) return smtpError(421, '4.3.2 Service not available');
    if (!plan.error) return undefined;
    return smtpError(plan.error.status, plan.error.message ?? '4.3.0 Requested action not taken');
  };

  /** Takes a message in; the answer, if there is one, comes after its effect and its latency. */
  const receive = async (stream: SMTPServerDataStream, session: SMTPServerSession, reply: Callback) => {
    const raw = await contentOf(stream);
    const recipient = session.envelope.rcptTo[0]?.address;
    const plan = faults.plan('smtp', 'deliver', () => ({ recipient }));
    counted('deliver', plan);
    if (plan.outage?.mode === 'hang') return;
    await wait(plan.delayBeforeMs);
    const problem = stream.sizeExceeded ? smtpError(552, '5.3.4 Message too big') : refuseByPlan(plan);
    if (!problem || plan.error?.effect) keep(session, raw);
    await wait(plan.delayAfterMs);
    if (plan.replyLost) return dropConnection(session);
    if (plan.hangAfter) return;
    if (problem) counts.operation('smtp', 'deliver', 'errors');
    reply(problem);
  };

  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    size: MAX_BYTES,
    closeTimeout: 1_000,
    onAuth: (_auth, _session, callback) => callback(null, { user: 'anyone' }),
    onConnect: (_session, callback) => void orNoRoom(() => greet(callback), callback),
    onRcptTo: (address, _session, callback) => callback(refusedRecipient(address.address)),
    onData: (stream, session, callback) => void orNoRoom(() => receive(stream, session, callback), callback),
  });
  // Clients that vanish mid-sentence are part of the exercise.
  server.on('error', () => {});
  server.listen(port, HOST);
  await listeningOr(once(server.server, 'listening'), { host: HOST, port, setting: 'SANDBOX_SMTP_PORT' });
  const bound = (server.server.address() as AddressInfo).port;

  const followOutage = () => {
    const refuse = faults.outage('smtp', 'connect')?.mode === 'refuse';
    if (refuse && server.server.listening) {
      server.server.close();
      for (const connection of server.connections) connection._socket.destroy();
    } else if (!refuse && !server.server.listening) {
      server.server.listen(bound, HOST);
    }
  };

  return {
    port: bound,
    followOutage,
    close: async () => {
      for (const connection of server.connections) connection._socket.destroy();
      if (server.server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
