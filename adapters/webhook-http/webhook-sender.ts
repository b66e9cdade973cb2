import { Agent, request, type Dispatcher } from 'undici';
import type { WebhookAnswer, WebhookFailure, WebhookSender } from '../../ports/webhooks.ts';
import { createCheckedConnect, type ResolveName } from './checked-connect.ts';
import { createTargetPolicy } from './target-policy.ts';

const answerTimeoutMs = 10_000;
/** The body is for people: it decides nothing, so little of it is waited for and kept. */
const bodyTimeoutMs = 1_000;
const keptBytes = 1_024;

/** Posts webhooks. Each delivery has a connection of its own, checked when it is made. */
export function connectWebhookSender(input: {
  allowPrivate: readonly string[];
  /** In place of the DNS, for tests. */
  resolve?: ResolveName;
  /** Trusted certificates in place of the well-known ones, for tests. */
  ca?: string;
  /** Default 10 s. */
  timeoutMs?: number;
}): WebhookSender & { close(): Promise<void> } {
  const { allowPrivate, timeoutMs = answerTimeoutMs, ...rest } = input;
  const connect = createCheckedConnect({ policy: createTargetPolicy({ allowPrivate }), ...rest });
  const dispatcher = new Agent({ connect, pipelining: 0, maxHeaderSize: 16_384 });
  return {
    async post({ url, headers, body }) {
      try {
        const response = await request(url, {
          dispatcher,
          method: 'POST',
          headers,
          body,
          reset: true,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          signal: AbortSignal.timeout(timeoutMs),
        });
        return await answerOf(response);
      } catch (error) {
        const reason = failureOf(error);
        return { status: 'failed', reason, error: errorText(error) };
      }
    },
    close: () => dispatcher.destroy(),
  };
}

async function answerOf(response: Dispatcher.ResponseData): Promise<WebhookAnswer> {
  const retryAfterMs = retryAfterOf(response.headers['retry-after']);
  return {
    status: 'answered',
    httpStatus: response.statusCode,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    body: await firstBytes(response),
  };
}

/** What has come of the body when it ends, has enough, breaks off or takes too long. */
async function firstBytes({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const cut = setTimeout(() => body.destroy(), bodyTimeoutMs);
  body.on('error', () => {});
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= keptBytes) break;
    }
  } catch {
    // The status line has come, and that is the answer.
  } finally {
    clearTimeout(cut);
    body.destroy();
  }
  return printable(Buffer.concat(chunks).subarray(0, keptBytes));
}

const printable = (bytes: Buffer): string =>
  // oxlint-disable-next-line no-control-regex
  bytes.toString('utf8').replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' ');

/** Seconds or an HTTP date (RFC 9110, 10.2.3); what cannot be read asks for nothing. */
function retryAfterOf(header: string | string[] | undefined): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const atMs = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}

const reasons: Readonly<Record<string, WebhookFailure>> = {
  TARGET_REFUSED: 'target-refused',
  ENOTFOUND: 'name-not-found',
  ENODATA: 'name-not-found',
  ESERVFAIL: 'name-not-found',
  ETIMEOUT: 'name-not-found',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  CERT_HAS_EXPIRED: 'certificate',
  CERT_NOT_YET_VALID: 'certificate',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate',
};

function failureOf(error: unknown): WebhookFailure {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (link.name === 'TimeoutError') return 'timeout';
    const codes = [link, ...(link instanceof AggregateError ? (link.errors as unknown[]) : [])].map(
      (one) => (one as { code?: unknown }).code,
    );
    for (const code of codes) {
      const reason = typeof code === 'string' ? reasons[code] : undefined;
      if (reason) return reason;
    }
  }
  return 'connection';
}

function errorText(error: unknown): string {
  const texts: string[] = [];
  for (let link = error; link instanceof Error; link = link.cause) {
    const inner =
      link instanceof AggregateError ? (link.errors as Error[]).map(({ message }) => message) : [];
    texts.push(...[link.message, ...inner].filter((text) => text !== ''));
  }
  return texts.join(': ').slice(0, keptBytes);
}
