import type { DomainEvent } from '../domain/events.ts';

/** The `data` of server-sent events; comments and `retry` are skipped. */
export async function* parseEvents(chunks: AsyncIterable<string>): AsyncGenerator<DomainEvent> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data) yield JSON.parse(data.slice('data: '.length)) as DomainEvent;
    }
  }
}
