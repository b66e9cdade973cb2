/** Sends mail. Classification of failures is the adapter's: the consumer only reads the answer. */
export interface Mailer {
  send(mail: Mail): Promise<MailAnswer>;
}

export interface Mail {
  /** Stable per task, so that a duplicate can be recognized downstream (Message-ID header). */
  messageId: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

export type MailAnswer =
  | { status: 'sent' }
  /** This mail will never be taken (5xx for the recipient or content). */
  | { status: 'refused'; reason: string }
  /** The mail server is away or asks to come back later. */
  | { status: 'unavailable'; reason: string };
