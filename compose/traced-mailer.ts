import type { Mailer } from '../ports/mailer.ts';
import { traced } from '../telemetry/tracing.ts';

/** The mailer with a span for each mail; it says nothing of who gets it and why it was refused. */
export const tracedMailer = <M extends Mailer>(mailer: M, url: string): M => {
  const attributes = serverOf(url);
  return {
    ...mailer,
    send: (mail) =>
      traced(
        {
          name: 'send mail',
          kind: 'client',
          inside: true,
          attributes: { ...attributes, 'messaging.message.id': mail.messageId },
        },
        async (span) => {
          const answer = await mailer.send(mail);
          span.set({ 'messaging.outcome': answer.status });
          if (answer.status !== 'sent') span.fail(answer.status);
          return answer;
        },
      ),
  };
};

function serverOf(url: string) {
  if (!URL.canParse(url)) return {};
  const { hostname, port } = new URL(url);
  return { 'server.address': hostname, ...(port === '' ? {} : { 'server.port': Number(port) }) };
}
