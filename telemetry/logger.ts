import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { scrubText, withoutPrivate } from './scrub.ts';
import { activeTrace } from './tracing.ts';

export type { Logger };

/**
 * JSON lines on stdout; readable lines when a terminal is attached or LOG_PRETTY=1. Lines inside a span carry its
 * `traceId` and `spanId`. Never give it personal data: fields that `scrub.ts` names are removed at any depth, what
 * looks like a mail address, a card, a payment method or a key is taken out of every line, and of an error only its
 * kind, code, message and stack are told. `lines` takes the lines instead of stdout.
 */
export function createLogger(input: { process: string; level: string; lines?: DestinationStream }): Logger {
  const { process: name, level, lines = standardOutput() } = input;
  return pino({ ...options, level, base: { process: name } }, scrubbing(lines));
}

type Lines = DestinationStream & { flushSync?(): void };

function standardOutput(): Lines {
  const isReadable = process.stdout.isTTY || process.env['LOG_PRETTY'] === '1';
  if (isReadable) {
    return pino.transport({
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname,process', singleLine: true },
    });
  }
  const lines = pino.destination({ dest: 1, sync: true, maxLength: keptBytes });
  let saidSo = false;
  lines.on('error', (error: Error) => {
    if (!saidSo) console.error(`The log cannot be written, the process goes on without: ${error.message}`);
    saidSo = true;
  });
  return lines;
}

/** What waits for a disk that is full; more is dropped. It is written when there is room. */
const keptBytes = 4 * 1024 * 1024;

const scrubbing = (lines: Lines): Lines => ({
  write: (line) => lines.write(scrubText(line)),
  flushSync: () => lines.flushSync?.(),
});

const options: LoggerOptions = {
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: {
    level: (level) => ({ level }),
    log: (facts) => withoutPrivate(facts),
  },
  mixin: () => activeTrace() ?? {},
  serializers: { err: describeError },
};

/** Drivers hang requests, answers and rows on their errors: nothing but these few facts is told. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return withoutPrivate(error);
  const { type, message, stack } = pino.stdSerializers.err(error);
  const { code } = error as { code?: unknown };
  return { type, message, stack, ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}) };
}
