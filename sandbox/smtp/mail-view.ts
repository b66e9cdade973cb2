import PostalMime from 'postal-mime';
import type { MailRecord } from '../records.ts';

/** One mail as `GET /inbox.json` shows it. */
export interface MailView {
  id: string;
  receivedAt: string;
  from: string;
  to: string[];
  subject: string;
  messageId: string | null;
  text: string | null;
  html: string | null;
  /** Lower-case names; of repeated headers the last. */
  headers: Record<string, string>;
  attachments: string[];
}

/** Parses a kept mail; done when it is looked at, never when it is received. */
export const viewMail = async (mail: MailRecord): Promise<MailView> => {
  const parsed = await PostalMime.parse(Buffer.from(mail.raw, 'latin1'));
  return {
    id: mail.id,
    receivedAt: new Date(mail.receivedMs).toISOString(),
    from: mail.from,
    to: mail.to,
    subject: parsed.subject ?? '',
    messageId: parsed.messageId ?? null,
    text: parsed.text ?? null,
    html: parsed.html ?? null,
    headers: Object.fromEntries(parsed.headers.map(({ key, value }) => [key, value])),
    attachments: parsed.attachments.map(({ filename, mimeType }) => filename ?? mimeType),
  };
};
