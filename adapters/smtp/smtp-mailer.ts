import { createTransport } from 'nodemailer';
import type { Mailer } from '../../ports/mailer.ts';
import { smtpFailure } from './smtp-errors.ts';

const SECOND = 1_000;

/** Connections kept open, how long each stage of a send may take, and no retries: the queue retries. */
const limits = {
  maxConnections: 2,
  connectionTimeout: 5 * SECOND,
  greetingTimeout: 5 * SECOND,
  socketTimeout: 20 * SECOND,
  /* By itself the pool tries a server that hangs up before its greeting five more times. */
  maxRequeues: 0,
};

/**
 * Mail over SMTP. `url` as nodemailer reads it (`smtp://user:password@host:587`, `smtps://…`); `from` is the sender's
 * address, with a name if one likes. Connects on first use and keeps a small pool of connections.
 * `send` never rejects: a failure is `refused` or `unavailable`. A reply that gets lost after the content was sent is
 * `unavailable`: the mail may then arrive twice, with the same Message-ID.
 */
export function connectSmtpMailer({ url, from }: { url: string; from: string }): Mailer & { close(): void } {
  const transport = createTransport({ url, pool: true, ...limits }, { from });
  return {
    send: async ({ messageId, to, subject, text, html }) => {
      try {
        /* As an object, `to` is one address: nodemailer would read a list or headers out of a string. */
        await transport.sendMail({
          messageId: messageIdHeader(messageId, from),
          to: { name: '', address: to },
          subject,
          text,
          html,
        });
        return { status: 'sent' };
      } catch (error) {
        return smtpFailure(error);
      }
    },
    close: () => transport.close(),
  };
}

/** A Message-ID (RFC 5322 section 3.6.4): the given id at the sender's domain, unless it is a whole one already. */
export function messageIdHeader(messageId: string, from: string): string {
  if (messageId.startsWith('<')) return messageId;
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost';
  return messageId.includes('@') ? `<${messageId}>` : `<${messageId}@${domain}>`;
}
