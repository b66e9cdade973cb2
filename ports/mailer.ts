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
  /** The server is there and will not take this mail now (4xx for the recipient or content); others go on. */
  | { status: 'later'; reason: string }
  /** The mail server is away or takes no mail at all. */
  | { status: 'unavailable'; reason: string };
