import type { Chat } from '../../ports/chat.ts';

const TIMEOUT_MS = 10_000;

/** A Slack-compatible incoming webhook: `POST { text }`. Its address is a secret and is in no error. */
export function createSlackChat({ url }: { url: string }): Chat {
  return {
    async post(text) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = (await response.text()).slice(0, 200);
      if (response.ok) return { status: 'posted' };
      const reason = `the chat webhook answered ${response.status}: ${answer}`;
      if (isForGood(response.status)) return { status: 'refused', reason };
      throw new Error(reason);
    },
  };
}

/** 408 and 429 ask to come back; any other 4xx is about the request or the webhook itself. */
const isForGood = (status: number): boolean =>
  status >= 400 && status < 500 && status !== 408 && status !== 429;
