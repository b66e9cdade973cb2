import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type Stripe from 'stripe';

/** A request that ended without a whole answer. */
export interface LostRequest extends Error {
  /** False when no connection came about, so that Stripe cannot have seen the request. */
  sent: boolean;
}

export const isLostRequest = (error: unknown): error is LostRequest =>
  error instanceof Error && 'sent' in error && typeof error.sent === 'boolean';

/**
 * The HTTP client under Stripe's SDK. The SDK's own one does not fit here: it sends a request again after a broken
 * connection even with `maxNetworkRetries: 0`, its time-out does not cover connecting and starts anew with each byte,
 * and it does not tell whether a request left. This one sends once, ends within `timeout` milliseconds with the whole
 * body or a `LostRequest`, and keeps connections alive through `agent`.
 */
export function createStripeHttpClient(agent: Agent): Stripe.HttpClient {
  return {
    getClientName: () => 'order-saga',
    makeRequest: async (host, port, path, method, headers, body, protocol, timeout) => {
      const send = protocol === 'http' ? httpRequest : httpsRequest;
      const options = { host, port, path, method, agent, headers: headers as Record<string, string> };
      const answer = await exchange(send(options), {
        body,
        timeoutMs: timeout,
        encrypted: protocol !== 'http',
      });
      return {
        getStatusCode: () => answer.status,
        getHeaders: () => answer.headers,
        getRawResponse: () => ({ statusCode: answer.status, headers: answer.headers }),
        toStream: () => {
          throw new Error('Streamed answers are not used here');
        },
        toJSON: async () => JSON.parse(answer.body) as unknown,
      };
    },
  };
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

function exchange(
  request: ClientRequest,
  { body, timeoutMs, encrypted }: { body: string; timeoutMs: number; encrypted: boolean },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let sent = false;
  const lost = (message: string, cause?: unknown) => {
    reject(Object.assign(new Error(message, { cause }), { sent }));
    request.destroy();
  };
  const timer = setTimeout(() => lost(`no answer within ${timeoutMs} ms`), timeoutMs);
  request.once('socket', (socket) => {
    const ready = () => (sent = true);
    if (request.reusedSocket || !socket.connecting) ready();
    else socket.once(encrypted ? 'secureConnect' : 'connect', ready);
  });
  request.on('error', (error) => lost(error.message, error));
  request.once('response', (response) => {
    readBody(response).then(
      (text) =>
        resolve({ status: response.statusCode ?? 0, headers: headersOf(response.headers), body: text }),
      (error: unknown) => lost('the connection broke inside the answer', error),
    );
  });
  request.end(body);
  return promise.finally(() => clearTimeout(timer));
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const headersOf = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
