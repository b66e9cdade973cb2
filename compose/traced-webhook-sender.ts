import type { WebhookSender } from '../ports/webhooks.ts';
import { activeTraceparent, traced } from '../telemetry/tracing.ts';

/**
 * The sender with a span for each request, whose `traceparent` the partner gets. Of the address only host and port are
 * told: paths may hold a partner's secrets.
 */
export const tracedWebhookSender = <Sender extends WebhookSender>(sender: Sender): Sender => ({
  ...sender,
  post: (request) =>
    traced(
      { name: 'POST', kind: 'client', inside: true, attributes: requestAttributes(request.url) },
      async (span) => {
        const answer = await sender.post({ ...request, headers: withTrace(request.headers) });
        if (answer.status === 'failed') span.fail(answer.reason);
        else {
          span.set({ 'http.response.status_code': answer.httpStatus });
          if (answer.httpStatus >= 300) span.fail(String(answer.httpStatus));
        }
        return answer;
      },
    ),
});

function withTrace(headers: Record<string, string>): Record<string, string> {
  const traceparent = activeTraceparent();
  return traceparent === undefined ? headers : { ...headers, traceparent };
}

function requestAttributes(url: string) {
  const method = { 'http.request.method': 'POST' };
  if (!URL.canParse(url)) return method;
  const { hostname, port, protocol } = new URL(url);
  const defaultPort = protocol === 'https:' ? 443 : 80;
  return { ...method, 'server.address': hostname, 'server.port': Number(port) || defaultPort };
}
