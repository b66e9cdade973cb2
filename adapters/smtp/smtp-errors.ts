import type { MailAnswer } from '../../ports/mailer.ts';

/** What nodemailer tells of a failed send. */
interface SmtpErrorFacts {
  /** Nodemailer's code, for example `ECONNECTION`, `EENVELOPE`, `EMESSAGE`, `EAUTH`. */
  code: string;
  /** The server's SMTP reply code; undefined when it gave none. */
  replyCode: number | undefined;
  /** The command that was answered, for example `RCPT TO`, `DATA`, `CONN`, `AUTH PLAIN`. */
  command: string;
  message: string;
}

/** Permanent replies to these are about this mail's recipient or content; before them the server refuses us. */
const mailCommands = /^(RCPT TO|DATA)$/;

/** Closing the connection (RFC 5321 section 3.8): about the server, whatever it answers. */
const CLOSING = 421;

/** Replies that begin with 5 and are about our log-in all the same (RFC 4954). */
const aboutUs = new Set([530, 534, 535, 538]);

/** The mail is larger than the server takes (RFC 1870); may come as early as `MAIL FROM`. */
const TOO_LARGE = 552;

/**
 * One failed send as the port's answer. Refused is only what the server refuses for good (5xx, RFC 5321 section 4.2.1)
 * because of this mail's recipient or content, and what cannot be made into a mail at all. Later is a 4xx about the
 * recipient or content (greylisting, full mailbox). Everything else is the server's state and passes: connections,
 * time-outs, TLS, log-in, our sender address, 421 are `unavailable`.
 */
export function smtpFailure(error: unknown): Exclude<MailAnswer, { status: 'sent' }> {
  const facts = smtpErrorFacts(error);
  const reason = [facts.code, facts.command, facts.message].filter((part) => part !== '').join(': ');
  if (isPermanent(facts)) return { status: 'refused', reason };
  return { status: isAboutThisMail(facts) ? 'later' : 'unavailable', reason };
}

const isAboutThisMail = ({ replyCode, command }: SmtpErrorFacts): boolean =>
  replyCode !== undefined && replyCode < 500 && replyCode !== CLOSING && mailCommands.test(command);

function isPermanent({ code, replyCode, command, message }: SmtpErrorFacts): boolean {
  if (replyCode === TOO_LARGE) return true;
  if (replyCode !== undefined) {
    return replyCode >= 500 && mailCommands.test(command) && !aboutUs.has(replyCode);
  }
  return code === 'EMESSAGE' || (code === 'EENVELOPE' && !message.startsWith('Invalid sender'));
}

function smtpErrorFacts(error: unknown): SmtpErrorFacts {
  const found = (error ?? {}) as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    code: text(found['code']),
    replyCode: typeof found['responseCode'] === 'number' ? found['responseCode'] : undefined,
    command: text(found['command']),
    message: text(found['message']) || String(error),
  };
}
